package dev.ashlar.block;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.Random;

/**
 * Makes hostile input out of good: bytes changed, cut, doubled, spliced, and counts that claim far
 * too much. For the tests of every parser.
 */
public final class Mutations {

  private static final long[] EXTREMES = {
    0, 1, -1, 0x7f, 0x80, 0xff, 0x7fff, 0xffff, Integer.MAX_VALUE, Integer.MIN_VALUE, Long.MAX_VALUE
  };

  private final List<byte[]> seeds;
  private final Random random;

  /**
   * @param seeds good input
   */
  public Mutations(List<byte[]> seeds, Random random) {
    this.seeds = List.copyOf(seeds);
    this.random = random;
  }

  /** The next one; never the same array as a seed. */
  public byte[] next() {
    byte[] bytes = seeds.get(random.nextInt(seeds.size())).clone();
    for (int i = random.nextInt(5); i >= 0; i--) {
      bytes = mutated(bytes);
    }
    return bytes;
  }

  private byte[] mutated(byte[] bytes) {
    if (bytes.length == 0) {
      return new byte[] {(byte) random.nextInt()};
    }
    int at = random.nextInt(bytes.length);
    switch (random.nextInt(7)) {
      case 0 -> bytes[at] ^= (byte) (1 << random.nextInt(8));
      case 1 -> bytes[at] = (byte) random.nextInt();
      case 2 -> {
        return Arrays.copyOf(bytes, at);
      }
      case 3 -> {
        return joined(bytes, at, random.nextInt(bytes.length));
      }
      case 4 -> {
        byte[] other = seeds.get(random.nextInt(seeds.size()));
        return other.length == 0 ? bytes : joined(bytes, at, other, random.nextInt(other.length));
      }
      case 5 -> extreme(bytes, at);
      default -> {
        // A varint that goes on and on.
        int end = Math.min(bytes.length, at + 1 + random.nextInt(12));
        Arrays.fill(bytes, at, end, (byte) 0xff);
      }
    }
    return bytes;
  }

  private void extreme(byte[] bytes, int at) {
    long value = EXTREMES[random.nextInt(EXTREMES.length)];
    ByteBuffer view = ByteBuffer.wrap(bytes);
    if (bytes.length - at >= 8 && random.nextBoolean()) {
      view.putLong(at, value);
    } else if (bytes.length - at >= 4) {
      view.putInt(at, (int) value);
    } else {
      bytes[at] = (byte) value;
    }
  }

  private static byte[] joined(byte[] bytes, int to, int from) {
    return joined(bytes, to, bytes, from);
  }

  private static byte[] joined(byte[] head, int to, byte[] tail, int from) {
    byte[] all = Arrays.copyOf(head, to + tail.length - from);
    System.arraycopy(tail, from, all, to, tail.length - from);
    return all;
  }
}
