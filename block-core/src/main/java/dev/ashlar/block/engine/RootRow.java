package dev.ashlar.block.engine;

import dev.ashlar.block.root.RootKey;
import dev.ashlar.block.root.RootRecord;
import java.nio.ByteBuffer;
import java.util.Optional;

/**
 * What a root record says: a row of {@code roots}, or the effect on one that a table still holds.
 *
 * @param changedAt the log index of its last change; 0 says that the record is gone
 * @param value its bytes, from position 0
 */
record RootRow(long changedAt, ByteBuffer value) {

  /** The effect of a removal. */
  static final RootRow GONE = new RootRow(0, ByteBuffer.allocate(0).asReadOnlyBuffer());

  boolean isGone() {
    return changedAt == 0;
  }

  RootRecord as(RootKey key) {
    return new RootRecord(key, value, changedAt);
  }

  /** The value under the record's key (docs/format.md, "Roots"). */
  byte[] encode(byte[] key) {
    ByteBuffer out =
        ByteBuffer.allocate(Long.BYTES + value.remaining() + Checksum.BYTES)
            .putLong(changedAt)
            .put(value.duplicate());
    return Checksum.seal(key, out.array());
  }

  /** The row of a value, copied, or empty where it is damaged. */
  static Optional<RootRow> decode(byte[] key, ByteBuffer value) {
    int length = value.limit() - Long.BYTES - Checksum.BYTES;
    if (length < 0 || !Checksum.isSound(key, value)) {
      return Optional.empty();
    }
    ByteBuffer copy = ByteBuffer.allocate(length).put(value.slice(Long.BYTES, length)).flip();
    return Optional.of(new RootRow(value.getLong(0), copy.asReadOnlyBuffer()));
  }
}
