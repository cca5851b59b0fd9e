package dev.ashlar.block;

import java.util.Arrays;

/**
 * Encodings that write the bytes as one large number, leading zero bytes as leading zero digits
 * (base58btc, base36). The work grows with the square of the length, so the length is limited.
 */
final class RadixBase extends BaseCodec {

  /** More than any CID needs: a multihash of 128 bytes takes fewer than 220 characters. */
  private static final int CHARS_MAX = 1024;

  RadixBase(String alphabet) {
    super(alphabet);
  }

  @Override
  void encode(byte[] bytes, StringBuilder target) {
    byte[] number = bytes.clone();
    int zeros = leadingZeros(number);
    int start = target.length();
    int first = zeros;
    while (first < number.length) {
      int remainder = 0;
      for (int i = first; i < number.length; i++) {
        int digit = (remainder << 8) | (number[i] & 0xff);
        number[i] = (byte) (digit / radix());
        remainder = digit % radix();
      }
      target.append(symbol(remainder));
      while (first < number.length && number[first] == 0) {
        first++;
      }
    }
    for (int i = 0; i < zeros; i++) {
      target.append(symbol(0));
    }
    String digits = target.substring(start);
    target.setLength(start);
    target.append(new StringBuilder(digits).reverse());
  }

  @Override
  byte[] decode(String text, int from) {
    int chars = text.length() - from;
    if (chars > CHARS_MAX) {
      throw new MalformedException("more than " + CHARS_MAX + " characters", CHARS_MAX);
    }
    // A character carries less than six bits, so the number has at most as many bytes.
    byte[] number = new byte[chars];
    int zeros = 0;
    boolean leading = true;
    int used = 0;
    for (int index = from; index < text.length(); index++) {
      int carry = valueAt(text, index);
      leading &= carry == 0;
      if (leading) {
        zeros++;
        continue;
      }
      int i = number.length - 1;
      for (int seen = 0; seen < used || carry != 0; seen++, i--) {
        carry += radix() * (number[i] & 0xff);
        number[i] = (byte) carry;
        carry >>>= 8;
        used = Math.max(used, seen + 1);
      }
    }
    byte[] bytes = new byte[zeros + used];
    System.arraycopy(number, number.length - used, bytes, zeros, used);
    Arrays.fill(bytes, 0, zeros, (byte) 0);
    return bytes;
  }

  private static int leadingZeros(byte[] bytes) {
    int zeros = 0;
    while (zeros < bytes.length && bytes[zeros] == 0) {
      zeros++;
    }
    return zeros;
  }
}
