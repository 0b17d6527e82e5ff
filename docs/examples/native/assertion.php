<?php
// The user of a valid X-ClassLink-Assertion, with nothing but PHP's extension `openssl`.

const ORIGIN = 'https://app.example';

/** The assertion's user; throws for any that is not valid. */
function userOf(string $assertion): array
{
    [$header, $claims, $signature] = explode('.', $assertion) + ['', '', ''];
    ['alg' => $algorithm, 'kid' => $id] = (json_decode(decode($header), true) ?? []) + ['alg' => '', 'kid' => ''];
    $found = json_decode(decode($claims), true) ?? [];
    // OpenSSL wants the signature in DER, and so its two numbers.
    $numbers = array_map(integer(...), str_split(decode($signature), 32));
    $der = "\x30" . chr(strlen(implode('', $numbers))) . implode('', $numbers);
    $isValid = $algorithm === 'ES256'
        && count($numbers) === 2
        && openssl_verify("$header.$claims", $der, keyOf($id), OPENSSL_ALGO_SHA256) === 1
        && ($found['iss'] ?? '') === ORIGIN . '/auth'
        && ($found['aud'] ?? '') === ORIGIN
        && ($found['exp'] ?? 0) > time();
    if (!$isValid) {
        throw new RuntimeException('The assertion is not valid');
    }
    return $found['user'];
}

/** The gateway's key of this id, as PEM. Keep the answer for some minutes in a real application. */
function keyOf(string $id): string
{
    $set = json_decode(file_get_contents(ORIGIN . '/auth/assertion-keys'), true);
    foreach ($set['keys'] as $key) {
        if ($key['kid'] === $id) {
            // What comes before a point on P-256 in a SubjectPublicKeyInfo (RFC 5480).
            $start = hex2bin('3059301306072a8648ce3d020106082a8648ce3d03010703420004');
            $body = chunk_split(base64_encode($start . decode($key['x']) . decode($key['y'])), 64, "\n");
            return "-----BEGIN PUBLIC KEY-----\n$body-----END PUBLIC KEY-----\n";
        }
    }
    throw new RuntimeException('The assertion names an unknown key');
}

function decode(string $text): string
{
    return (string) base64_decode(strtr($text, '-_', '+/'), true);
}

/** A positive number of DER. */
function integer(string $bytes): string
{
    $bytes = ltrim($bytes, "\0");
    $bytes = (ord($bytes[0] ?? "\xff") > 0x7f ? "\0" : '') . $bytes;
    return "\x02" . chr(strlen($bytes)) . $bytes;
}

echo json_encode(userOf($argv[1])), "\n";
