package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"net/http"
	"os"
	"strings"
	"time"
)

const origin = "https://app.example"

var invalid = errors.New("the assertion is not valid")

type claims struct {
	Issuer   string         `json:"iss"`
	Audience string         `json:"aud"`
	Expires  int64          `json:"exp"`
	User     map[string]any `json:"user"`
}

func part(text string, into any) error {
	bytes, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		return err
	}
	return json.Unmarshal(bytes, into)
}

func number(text string) *big.Int {
	bytes, _ := base64.RawURLEncoding.DecodeString(text)
	return new(big.Int).SetBytes(bytes)
}

// userOf returns the user of a valid X-ClassLink-Assertion. Keep the keys for some minutes in a real application.
func userOf(assertion string) (map[string]any, error) {
	var header struct{ Alg, Kid string }
	var found claims
	var set struct{ Keys []struct{ Kid, X, Y string } }
	parts := strings.Split(assertion, ".")
	if len(parts) != 3 || part(parts[0], &header) != nil || part(parts[1], &found) != nil || header.Alg != "ES256" {
		return nil, invalid
	}
	response, err := http.Get(origin + "/auth/assertion-keys")
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if err := json.NewDecoder(response.Body).Decode(&set); err != nil {
		return nil, err
	}
	signature, _ := base64.RawURLEncoding.DecodeString(parts[2])
	hash := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	for _, key := range set.Keys {
		public := ecdsa.PublicKey{Curve: elliptic.P256(), X: number(key.X), Y: number(key.Y)}
		if key.Kid == header.Kid && len(signature) == 64 &&
			ecdsa.Verify(&public, hash[:], new(big.Int).SetBytes(signature[:32]), new(big.Int).SetBytes(signature[32:])) &&
			found.Issuer == origin+"/auth" && found.Audience == origin && found.Expires > time.Now().Unix() {
			return found.User, nil
		}
	}
	return nil, invalid
}

func main() {
	user, err := userOf(os.Args[1])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	json.NewEncoder(os.Stdout).Encode(user)
}
