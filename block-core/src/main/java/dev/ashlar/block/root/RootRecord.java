package dev.ashlar.block.root;

import java.nio.ByteBuffer;

/**
 * A root record as every replica has it.
 *
 * @param key which one
 * @param value what it says, from position 0; the buffer is not changed by anybody
 * @param changedAt the log index of its last change: what a {@link RootChange} can expect
 */
public record RootRecord(RootKey key, ByteBuffer value, long changedAt) {

  /** Makes the buffer read-only. */
  public RootRecord {
    value = value.asReadOnlyBuffer();
  }
}
