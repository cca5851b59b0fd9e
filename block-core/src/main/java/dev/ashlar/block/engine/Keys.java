package dev.ashlar.block.engine;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;

/** Keys of the maps: numbers big-endian, so that their order is the order of their bytes. */
final class Keys {

  static final byte[] FORMAT = ascii("format");
  static final byte[] KEYS = ascii("keys");
  static final byte[] STATE = ascii("state");
  static final byte[] CLUSTER = ascii("cluster");
  static final byte[] MEMBER = ascii("member");
  static final byte[] SHARED = ascii("shared");
  static final byte[] INSTALL = ascii("install");
  static final byte[] SWEEP = ascii("sweep");
  static final byte[] SCRUB = ascii("scrub");
  private static final byte[] HARD_STATE_EVEN = ascii("hard.0");
  private static final byte[] HARD_STATE_ODD = ascii("hard.1");
  private static final byte[] CONFIGURATION = ascii("config.");

  private Keys() {}

  static byte[] number(long number) {
    return ByteBuffer.allocate(Long.BYTES).putLong(number).array();
  }

  static long number(byte[] key) {
    return key.length == Long.BYTES ? ByteBuffer.wrap(key).getLong() : -1;
  }

  static byte[] hardState(long sequence) {
    return (sequence & 1) == 0 ? HARD_STATE_EVEN : HARD_STATE_ODD;
  }

  static byte[] configuration(long index) {
    return ByteBuffer.allocate(CONFIGURATION.length + Long.BYTES)
        .put(CONFIGURATION)
        .putLong(index)
        .array();
  }

  /** The log index of a configuration's key, or -1 for another key. */
  static long configurationIndex(byte[] key) {
    int start = CONFIGURATION.length;
    return key.length == start + Long.BYTES
            && java.util.Arrays.equals(key, 0, start, CONFIGURATION, 0, start)
        ? ByteBuffer.wrap(key).getLong(start)
        : -1;
  }

  private static byte[] ascii(String name) {
    return name.getBytes(StandardCharsets.US_ASCII);
  }
}
