package dev.ashlar.store.lmdb;

import java.nio.ByteBuffer;

/** The direct buffer that one transaction hands its keys to LMDB in. */
final class KeyBuffer {

  /** LMDB's own limit for keys, as it is built. */
  private static final int KEY_BYTES_MAX = 511;

  private final ByteBuffer buffer = ByteBuffer.allocateDirect(KEY_BYTES_MAX);

  ByteBuffer of(byte[] key) {
    return buffer.clear().put(key).flip();
  }
}
