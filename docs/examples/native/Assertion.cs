using System.Security;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

/// <summary>The user of a valid X-ClassLink-Assertion, with nothing but .NET (9 or newer).</summary>
public static class Assertion
{
    const string Origin = "https://app.example";
    static readonly HttpClient Client = new();

    /// <summary>The assertion's user; throws for any that is not valid.</summary>
    public static async Task<JsonElement> UserOf(string assertion)
    {
        var parts = assertion.Split('.');
        if (parts.Length != 3) throw new SecurityException();
        var header = Decode(parts[0]);
        var claims = Decode(parts[1]);
        if (header.GetProperty("alg").GetString() != "ES256") throw new SecurityException();
        using var key = await KeyOf(header.GetProperty("kid").GetString()!);
        var isValid = key.VerifyData(Encoding.ASCII.GetBytes(parts[0] + "." + parts[1]), Bytes(parts[2]), HashAlgorithmName.SHA256)
            && claims.GetProperty("iss").GetString() == Origin + "/auth"
            && claims.GetProperty("aud").GetString() == Origin
            && claims.GetProperty("exp").GetInt64() > DateTimeOffset.UtcNow.ToUnixTimeSeconds();
        return isValid ? claims.GetProperty("user") : throw new SecurityException();
    }

    /// <summary>The gateway's key of this id. Keep the answer for some minutes in a real application.</summary>
    static async Task<ECDsa> KeyOf(string id)
    {
        var set = JsonDocument.Parse(await Client.GetStringAsync(Origin + "/auth/assertion-keys")).RootElement;
        var key = set.GetProperty("keys").EnumerateArray().First(one => one.GetProperty("kid").GetString() == id);
        return ECDsa.Create(new ECParameters
        {
            Curve = ECCurve.NamedCurves.nistP256,
            Q = new ECPoint { X = Bytes(key.GetProperty("x").GetString()!), Y = Bytes(key.GetProperty("y").GetString()!) },
        });
    }

    static byte[] Bytes(string text) => System.Buffers.Text.Base64Url.DecodeFromChars(text);
    static JsonElement Decode(string part) => JsonDocument.Parse(Bytes(part)).RootElement;
}
