import jwt  # PyJWT, with its extra "crypto"

keys = jwt.PyJWKClient("https://app.example/auth/assertion-keys")


def user_of(assertion):
    """The user, of a valid X-ClassLink-Assertion; raises jwt.PyJWTError for any other."""
    claims = jwt.decode(
        assertion,
        keys.get_signing_key_from_jwt(assertion).key,
        algorithms=["ES256"],
        issuer="https://app.example/auth",
        audience="https://app.example",
        options={"require": ["exp", "iat", "sub"]},
    )
    return claims["user"]
