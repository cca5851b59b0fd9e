package dev.ashlar.block.engine;

import java.nio.ByteBuffer;

/** A place in an ordered map. What it shows is valid until it moves or its transaction writes. */
public interface MapCursor extends AutoCloseable {

  /**
   * Moves to the first entry whose key is not less than the given one; false when there is none.
   */
  boolean seek(byte[] key);

  /** Moves to the next entry; false when there is none. Only after a move that found an entry. */
  boolean next();

  /** The key here, a copy. */
  byte[] key();

  /** The value here, read-only. */
  ByteBuffer value();

  @Override
  void close();
}
