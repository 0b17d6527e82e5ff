import java.math.BigInteger;
import java.net.URI;
import java.net.http.*;
import java.security.*;
import java.security.spec.*;
import java.util.Base64;
import java.util.regex.Pattern;

/** The user of a valid X-ClassLink-Assertion, with nothing but the JDK (16 or newer). */
public class Assertion {
  static final String ORIGIN = "https://app.example";

  /** The assertion's claims as JSON; throws for any that is not valid. */
  static String claimsOf(String assertion) throws Exception {
    String[] parts = assertion.split("\\.", -1);
    String header = decode(parts[0]), claims = decode(parts[1]);
    if (parts.length != 3 || !"ES256".equals(text(header, "alg"))) throw new SecurityException();
    Signature signature = Signature.getInstance("SHA256withECDSAinP1363Format");
    signature.initVerify(key(text(header, "kid")));
    signature.update((parts[0] + "." + parts[1]).getBytes());
    boolean valid = signature.verify(Base64.getUrlDecoder().decode(parts[2]))
        && (ORIGIN + "/auth").equals(text(claims, "iss")) && ORIGIN.equals(text(claims, "aud"))
        && Long.parseLong(find(claims, "\"exp\":(\\d+)")) > System.currentTimeMillis() / 1000;
    if (!valid) throw new SecurityException();
    return claims;
  }

  /** The gateway's key of this id. Keep the answer for some minutes in a real application. */
  static PublicKey key(String id) throws Exception {
    HttpRequest request = HttpRequest.newBuilder(URI.create(ORIGIN + "/auth/assertion-keys")).build();
    String keys = HttpClient.newHttpClient().send(request, HttpResponse.BodyHandlers.ofString()).body();
    for (String jwk : keys.split("\\}")) {
      if (!id.equals(text(jwk, "kid"))) continue;
      AlgorithmParameters curve = AlgorithmParameters.getInstance("EC");
      curve.init(new ECGenParameterSpec("secp256r1"));
      ECPoint point = new ECPoint(number(text(jwk, "x")), number(text(jwk, "y")));
      return KeyFactory.getInstance("EC").generatePublic(
          new ECPublicKeySpec(point, curve.getParameterSpec(ECParameterSpec.class)));
    }
    throw new SecurityException();
  }

  static String decode(String part) { return new String(Base64.getUrlDecoder().decode(part)); }
  static BigInteger number(String text) { return new BigInteger(1, Base64.getUrlDecoder().decode(text)); }
  static String text(String json, String name) { return find(json, "\"" + name + "\":\"([^\"\\\\]*)\""); }

  /** The first match: the members read here come before `user`, whose texts cannot hold a quotation mark unescaped. */
  static String find(String json, String pattern) {
    var matcher = Pattern.compile(pattern).matcher(json);
    if (!matcher.find()) throw new SecurityException();
    return matcher.group(1);
  }

  public static void main(String[] args) throws Exception { System.out.println(claimsOf(args[0])); }
}
