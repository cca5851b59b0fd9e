package dev.ashlar.block.engine;

import java.nio.ByteBuffer;

/**
 * Takes the bytes of a block where they lie, already checked. The buffer is valid until it returns.
 *
 * @param <T> what it makes of them
 */
@FunctionalInterface
public interface BlockReader<T> {

  /**
   * Takes the bytes.
   *
   * @param bytes the block's bytes, read-only
   * @param payloadCrc their CRC32C
   */
  T read(ByteBuffer bytes, int payloadCrc);
}
