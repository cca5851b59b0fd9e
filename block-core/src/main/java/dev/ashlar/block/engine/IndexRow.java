package dev.ashlar.block.engine;

import java.nio.ByteBuffer;
import java.util.Optional;

/**
 * Where a block lies: a row of {@code blocks}, or the effect on one that a table still holds.
 *
 * @param slot its slot in the heap; 0 says that the block is gone
 * @param length how many bytes it has
 * @param codec the codec of its first put
 * @param lastPut the log index of its last put or touch
 */
record IndexRow(long slot, int length, long codec, long lastPut) {

  /** The effect of a delete. */
  static final IndexRow GONE = new IndexRow(0, 0, 0, 0);

  private static final int VALUE_BYTES = 3 * Long.BYTES + Integer.BYTES + Checksum.BYTES;

  boolean isGone() {
    return slot == 0;
  }

  /** How many rows the index has after it. */
  int blocks() {
    return isGone() ? 0 : 1;
  }

  IndexRow putAgainAt(long index) {
    return new IndexRow(slot, length, codec, index);
  }

  /** The value under the multihash's key (docs/format.md, "Blocks"). */
  byte[] encode(byte[] key) {
    ByteBuffer value =
        ByteBuffer.allocate(VALUE_BYTES)
            .putLong(slot)
            .putInt(length)
            .putLong(codec)
            .putLong(lastPut);
    return Checksum.seal(key, value.array());
  }

  /** The row of a value, or empty where it is damaged. */
  static Optional<IndexRow> decode(byte[] key, ByteBuffer value) {
    if (value.limit() != VALUE_BYTES || !Checksum.isSound(key, value)) {
      return Optional.empty();
    }
    return Optional.of(
        new IndexRow(value.getLong(0), value.getInt(8), value.getLong(12), value.getLong(20)));
  }
}
