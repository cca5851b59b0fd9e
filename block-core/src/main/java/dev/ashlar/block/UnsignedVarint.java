package dev.ashlar.block;

import java.nio.ByteBuffer;

/**
 * Unsigned varints of the multiformats: seven bits a byte, least significant first, at most nine
 * bytes, always the shortest form (unsigned-varint specification, "Practical maximum" and "Minimal
 * encoding"). Values are 0 to 2<sup>63</sup>-1.
 */
public final class UnsignedVarint {

  /** The most bytes that an encoding may have. */
  public static final int BYTES_MAX = 9;

  private UnsignedVarint() {}

  /** How many bytes the value takes, 1 to 9. */
  public static int size(long value) {
    requireEncodable(value);
    int significantBits = Long.SIZE - Long.numberOfLeadingZeros(value | 1);
    return (significantBits + 6) / 7;
  }

  /** Writes the value at the buffer's position and moves it on. */
  public static void write(long value, ByteBuffer target) {
    requireEncodable(value);
    long rest = value;
    while (rest >= 0x80) {
      target.put((byte) (rest | 0x80));
      rest >>>= 7;
    }
    target.put((byte) rest);
  }

  /** The value's encoding. */
  public static byte[] encode(long value) {
    ByteBuffer target = ByteBuffer.allocate(size(value));
    write(value, target);
    return target.array();
  }

  /**
   * Reads the value at the buffer's position and moves it on.
   *
   * @throws MalformedException when it is cut off, longer than nine bytes, or not minimal; the
   *     offset is the buffer's position of the byte that is wrong
   */
  public static long read(ByteBuffer source) {
    long value = 0;
    for (int i = 0; i < BYTES_MAX; i++) {
      if (!source.hasRemaining()) {
        throw new MalformedException("a varint is cut off", source.position());
      }
      byte next = source.get();
      value |= (long) (next & 0x7f) << (7 * i);
      if (next >= 0) {
        if (next == 0 && i > 0) {
          throw new MalformedException(
              "a varint is not in its shortest form", source.position() - 1L);
        }
        return value;
      }
    }
    throw new MalformedException("a varint is longer than nine bytes", source.position() - 1L);
  }

  private static void requireEncodable(long value) {
    if (value < 0) {
      throw new IllegalArgumentException("a varint holds 0 to 2^63-1, not " + value);
    }
  }
}
