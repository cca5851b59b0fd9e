package dev.ashlar.block;

/** Encodings in which a character stands for a whole number of bits (RFC 4648). */
final class BitBase extends BaseCodec {

  static final String BASE64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  static final String BASE64_URL =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

  private final int bitsPerChar;
  private final boolean padded;
  private final int charsPerGroup;

  private BitBase(String alphabet, int bitsPerChar, boolean padded) {
    super(alphabet);
    this.bitsPerChar = bitsPerChar;
    this.padded = padded;
    this.charsPerGroup = bitsPerChar == 5 ? 8 : bitsPerChar == 6 ? 4 : 2;
  }

  static BitBase of(String alphabet, int bitsPerChar, boolean padded) {
    return new BitBase(alphabet, bitsPerChar, padded);
  }

  @Override
  void encode(byte[] bytes, StringBuilder target) {
    int start = target.length();
    int mask = radix() - 1;
    int pending = 0;
    int pendingBits = 0;
    for (byte next : bytes) {
      pending = ((pending << 8) | (next & 0xff)) & 0xffff;
      pendingBits += 8;
      while (pendingBits >= bitsPerChar) {
        pendingBits -= bitsPerChar;
        target.append(symbol(pending >>> pendingBits & mask));
      }
    }
    if (pendingBits > 0) {
      target.append(symbol(pending << (bitsPerChar - pendingBits) & mask));
    }
    while (padded && (target.length() - start) % charsPerGroup != 0) {
      target.append('=');
    }
  }

  @Override
  byte[] decode(String text, int from) {
    int end = padded ? withoutPadding(text, from) : text.length();
    int chars = end - from;
    byte[] bytes = new byte[(int) ((long) chars * bitsPerChar / 8)];
    int pending = 0;
    int pendingBits = 0;
    int filled = 0;
    for (int i = from; i < end; i++) {
      pending = ((pending << bitsPerChar) | valueAt(text, i)) & 0xffff;
      pendingBits += bitsPerChar;
      if (pendingBits >= 8) {
        pendingBits -= 8;
        bytes[filled++] = (byte) (pending >>> pendingBits);
      }
    }
    if (pendingBits >= bitsPerChar) {
      throw new MalformedException("the text is one character too long or cut off", end - 1L);
    }
    if ((pending & (1 << pendingBits) - 1) != 0) {
      throw new MalformedException("the last character has bits that belong to no byte", end - 1L);
    }
    return bytes;
  }

  private int withoutPadding(String text, int from) {
    if ((text.length() - from) % charsPerGroup != 0) {
      throw new MalformedException("the padding is missing or too long", text.length());
    }
    int end = text.length();
    while (end > from && text.charAt(end - 1) == '=') {
      end--;
    }
    int padding = text.length() - end;
    int paddingWanted = (charsPerGroup - (end - from) % charsPerGroup) % charsPerGroup;
    if (padding != paddingWanted) {
      throw new MalformedException("the padding is too long", end);
    }
    return end;
  }
}
