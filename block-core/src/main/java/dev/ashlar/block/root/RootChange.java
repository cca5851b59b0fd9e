package dev.ashlar.block.root;

import java.nio.ByteBuffer;
import java.util.Optional;

/**
 * What is to become of one root record, if it is as expected.
 *
 * @param key which one
 * @param expected {@link #ANY}, {@link #ABSENT}, or the log index of its last change
 * @param value what it is to say; empty to remove it. The buffer is not changed by anybody
 */
public record RootChange(RootKey key, long expected, Optional<ByteBuffer> value) {

  /** Whatever the record says, or whether it is there. */
  public static final long ANY = -1;

  /** The record must not be there. */
  public static final long ABSENT = 0;

  /** No value is longer. */
  public static final int VALUE_BYTES_MAX = 1024;

  /** Checks the range of the expectation and of the value. */
  public RootChange {
    if (expected < ANY) {
      throw new IllegalArgumentException("expected " + expected);
    }
    if (value.isPresent() && value.get().remaining() > VALUE_BYTES_MAX) {
      throw new IllegalArgumentException(
          "a value of " + value.get().remaining() + " bytes is longer than " + VALUE_BYTES_MAX);
    }
    value = value.map(bytes -> bytes.slice().asReadOnlyBuffer());
  }

  /** Sets a record. */
  public static RootChange set(RootKey key, long expected, byte[] value) {
    return new RootChange(key, expected, Optional.of(ByteBuffer.wrap(value)));
  }

  /** Removes a record. */
  public static RootChange remove(RootKey key, long expected) {
    return new RootChange(key, expected, Optional.empty());
  }
}
