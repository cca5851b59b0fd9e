package dev.ashlar.block;

import java.nio.ByteBuffer;
import java.util.zip.CRC32C;

/**
 * Hashes bytes as they stream past and makes their CRC32C in the same pass. Copies nothing. For one
 * thread, for one block.
 */
public final class BlockHasher {

  private final HashFunction function;
  private final Digest digest;
  private final CRC32C crc32c = new CRC32C();
  private long bytes;

  /** A hasher that has seen nothing yet. */
  public BlockHasher(HashFunction function) {
    this.function = function;
    this.digest = function.newDigest();
  }

  /** Takes what remains in the buffer, whose position and limit stay as they are. */
  public void update(ByteBuffer part) {
    bytes += part.remaining();
    digest.update(part.duplicate());
    crc32c.update(part.duplicate());
  }

  /** How many bytes have been taken. */
  public long bytes() {
    return bytes;
  }

  /** The CRC32C of what has been taken. */
  public int crc32c() {
    return (int) crc32c.getValue();
  }

  /** The whole digest's multihash; afterwards this takes no more bytes. */
  public Multihash finish() {
    return Multihash.of(function.code(), digest.finish());
  }

  /** As {@link #finish()}, in the digest length of the one given where that cuts it short. */
  Multihash finishAs(Multihash wanted) {
    byte[] whole = digest.finish();
    return wanted.isPrefixOf(whole) ? wanted : Multihash.of(function.code(), whole);
  }
}
