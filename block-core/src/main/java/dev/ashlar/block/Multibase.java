package dev.ashlar.block;

import java.util.Optional;

/**
 * The text encodings that a CID may be written in (multibase specification). Each puts its prefix
 * character first. Decoding is strict: a wrong character, a wrong length, stray padding and
 * non-zero trailing bits are errors that name their place; letters of either case are taken where
 * the encoding has only one (multibase test vectors, case insensitivity).
 */
public enum Multibase {
  /** RFC 4648 base16, lower case. */
  BASE16('f', "base16", BitBase.of("0123456789abcdef", 4, false)),
  /** RFC 4648 base16, upper case. */
  BASE16_UPPER('F', "base16upper", BitBase.of("0123456789ABCDEF", 4, false)),
  /** RFC 4648 base32, lower case, no padding: how CIDv1 is written. */
  BASE32('b', "base32", BitBase.of("abcdefghijklmnopqrstuvwxyz234567", 5, false)),
  /** RFC 4648 base32, upper case, no padding. */
  BASE32_UPPER('B', "base32upper", BitBase.of("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 5, false)),
  /** RFC 4648 base32, lower case, padded. */
  BASE32_PAD('c', "base32pad", BitBase.of("abcdefghijklmnopqrstuvwxyz234567", 5, true)),
  /** RFC 4648 base32, upper case, padded. */
  BASE32_PAD_UPPER('C', "base32padupper", BitBase.of("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 5, true)),
  /** RFC 4648 base32hex, lower case, no padding. */
  BASE32_HEX('v', "base32hex", BitBase.of("0123456789abcdefghijklmnopqrstuv", 5, false)),
  /** RFC 4648 base32hex, upper case, no padding. */
  BASE32_HEX_UPPER('V', "base32hexupper", BitBase.of("0123456789ABCDEFGHIJKLMNOPQRSTUV", 5, false)),
  /** RFC 4648 base32hex, lower case, padded. */
  BASE32_HEX_PAD('t', "base32hexpad", BitBase.of("0123456789abcdefghijklmnopqrstuv", 5, true)),
  /** RFC 4648 base32hex, upper case, padded. */
  BASE32_HEX_PAD_UPPER(
      'T', "base32hexpadupper", BitBase.of("0123456789ABCDEFGHIJKLMNOPQRSTUV", 5, true)),
  /** Base36, lower case: how peer ids and IPNS names are written in host names. */
  BASE36('k', "base36", new RadixBase("0123456789abcdefghijklmnopqrstuvwxyz")),
  /** Base36, upper case. */
  BASE36_UPPER('K', "base36upper", new RadixBase("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ")),
  /** Bitcoin's base58: how CIDv0 is written, there without a prefix. */
  BASE58_BTC(
      'z',
      "base58btc",
      new RadixBase("123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz")),
  /** RFC 4648 base64, no padding. */
  BASE64('m', "base64", BitBase.of(BitBase.BASE64, 6, false)),
  /** RFC 4648 base64, padded. */
  BASE64_PAD('M', "base64pad", BitBase.of(BitBase.BASE64, 6, true)),
  /** RFC 4648 base64url, no padding. */
  BASE64_URL('u', "base64url", BitBase.of(BitBase.BASE64_URL, 6, false)),
  /** RFC 4648 base64url, padded. */
  BASE64_URL_PAD('U', "base64urlpad", BitBase.of(BitBase.BASE64_URL, 6, true));

  private final char prefix;
  private final String specificationName;
  private final BaseCodec codec;

  Multibase(char prefix, String specificationName, BaseCodec codec) {
    this.prefix = prefix;
    this.specificationName = specificationName;
    this.codec = codec;
  }

  /** The character that stands before the encoded text. */
  public char prefix() {
    return prefix;
  }

  /** The name in the multibase table, such as {@code base32}. */
  public String specificationName() {
    return specificationName;
  }

  /** The encoding with this prefix character. */
  public static Optional<Multibase> withPrefix(char prefix) {
    for (Multibase base : values()) {
      if (base.prefix == prefix) {
        return Optional.of(base);
      }
    }
    return Optional.empty();
  }

  /** The bytes as text, the prefix character first. */
  public String encode(byte[] bytes) {
    return prefix + encodeBare(bytes);
  }

  /** The bytes as text without the prefix character. */
  public String encodeBare(byte[] bytes) {
    StringBuilder text = new StringBuilder();
    codec.encode(bytes, text);
    return text.toString();
  }

  /**
   * The bytes of a text that begins with a prefix character.
   *
   * @throws MalformedException for an unknown prefix or text that its encoding does not allow
   */
  public static byte[] decode(String text) {
    if (text.isEmpty()) {
      throw new MalformedException("empty text has no multibase prefix", 0);
    }
    char prefix = text.charAt(0);
    Multibase base =
        withPrefix(prefix)
            .orElseThrow(
                () ->
                    new MalformedException(
                        "unknown multibase prefix " + BaseCodec.quote(prefix), 0));
    return base.codec.decode(text, 1);
  }

  /**
   * The bytes of a text that has no prefix character.
   *
   * @throws MalformedException for text that this encoding does not allow
   */
  public byte[] decodeBare(String text) {
    return codec.decode(text, 0);
  }
}
