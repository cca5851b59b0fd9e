package dev.ashlar.http;

import java.nio.charset.StandardCharsets;

/** Content-Disposition (RFC 6266). */
final class Disposition {

  static final String ATTACHMENT = "attachment";
  static final String INLINE = "inline";

  private Disposition() {}

  /**
   * The value of the header, with the name in ASCII, and in UTF-8 where that differs.
   *
   * @param type inline or attachment
   */
  static String of(String type, String name) {
    StringBuilder ascii = new StringBuilder();
    boolean differs = false;
    for (int i = 0; i < name.length(); i++) {
      char c = name.charAt(i);
      boolean plain = c >= ' ' && c < 127 && c != '"' && c != '\\';
      ascii.append(plain ? c : '_');
      differs |= !plain;
    }
    return type
        + "; filename=\""
        + ascii
        + "\""
        + (differs ? "; filename*=UTF-8''" + percentEncoded(name) : "");
  }

  /** With everything escaped that means something in a URL (RFC 3986 §2.3). */
  static String percentEncoded(String name) {
    StringBuilder encoded = new StringBuilder();
    for (byte b : name.getBytes(StandardCharsets.UTF_8)) {
      boolean unreserved =
          (b >= '0' && b <= '9')
              || (b >= 'A' && b <= 'Z')
              || (b >= 'a' && b <= 'z')
              || b == '-'
              || b == '.'
              || b == '_'
              || b == '~';
      if (unreserved) {
        encoded.append((char) b);
      } else {
        encoded.append(String.format("%%%02X", b));
      }
    }
    return encoded.toString();
  }
}
