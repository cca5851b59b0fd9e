package dev.ashlar.block;

import java.util.Arrays;

/** One way to write bytes as text, without a prefix character. */
abstract sealed class BaseCodec permits BitBase, RadixBase {

  private static final int ASCII = 128;

  private final char[] alphabet;
  private final byte[] values = new byte[ASCII];

  BaseCodec(String alphabet) {
    this.alphabet = alphabet.toCharArray();
    Arrays.fill(values, (byte) -1);
    for (int i = 0; i < this.alphabet.length; i++) {
      values[this.alphabet[i]] = (byte) i;
    }
    boolean oneCase =
        alphabet.equals(alphabet.toLowerCase(java.util.Locale.ROOT))
            || alphabet.equals(alphabet.toUpperCase(java.util.Locale.ROOT));
    if (oneCase) {
      for (char c : this.alphabet) {
        values[Character.toLowerCase(c)] = values[c];
        values[Character.toUpperCase(c)] = values[c];
      }
    }
  }

  abstract void encode(byte[] bytes, StringBuilder target);

  /** Decodes the text from an index on; offsets in errors count from the text's start. */
  abstract byte[] decode(String text, int from);

  final char symbol(int value) {
    return alphabet[value];
  }

  final int radix() {
    return alphabet.length;
  }

  final int valueAt(String text, int index) {
    char c = text.charAt(index);
    int value = c < ASCII ? values[c] : -1;
    if (value < 0) {
      throw new MalformedException("character " + quote(c) + " is not of this encoding", index);
    }
    return value;
  }

  /** A character for an error message; control characters and what is not ASCII as a number. */
  static String quote(char c) {
    return c > ' ' && c < ASCII - 1 ? "'" + c + "'" : String.format("U+%04X", (int) c);
  }
}
