package dev.ashlar.block;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Optional;

/**
 * Makes a block of bytes that arrive in parts: each part is copied once, into the block's own
 * buffer, and hashed as it arrives. For one thread, for one block.
 */
public final class BlockAssembler {

  private static final int FIRST_BYTES = 4096;

  private final int blockBytesMax;
  private final long codec;
  private final BlockHasher hasher;
  private final Optional<Cid> expected;

  /** How much room is made for the first bytes, once they are there. */
  private final int firstBytes;

  private byte[] buffer = new byte[0];
  private int filled;
  private boolean finished;

  private BlockAssembler(
      long codec,
      HashFunction function,
      Optional<Cid> expected,
      long bytesHint,
      int blockBytesMax) {
    if (blockBytesMax < 0 || blockBytesMax > Block.BYTES_MAX) {
      throw new IllegalArgumentException(
          "a block has at most " + Block.BYTES_MAX + " bytes, not " + blockBytesMax);
    }
    if (bytesHint > blockBytesMax) {
      throw new BlockTooLargeException(bytesHint, blockBytesMax);
    }
    this.codec = codec;
    this.hasher = new BlockHasher(function);
    this.expected = expected;
    this.blockBytesMax = blockBytesMax;
    this.firstBytes = bytesHint >= 0 ? (int) bytesHint : Math.min(FIRST_BYTES, blockBytesMax);
  }

  /**
   * An assembler whose block gets the CID that its bytes hash to.
   *
   * @param bytesHint how many bytes will come, or a negative number where that is not known
   * @param blockBytesMax how many may come
   * @throws BlockTooLargeException when the hint is above the limit
   */
  public static BlockAssembler of(
      long codec, HashFunction function, long bytesHint, int blockBytesMax) {
    return new BlockAssembler(codec, function, Optional.empty(), bytesHint, blockBytesMax);
  }

  /**
   * An assembler whose block must have this CID.
   *
   * @throws UnsupportedHashException when Ashlar does not compute its hash function
   * @throws BlockTooLargeException when the hint is above the limit
   */
  public static BlockAssembler expecting(Cid cid, long bytesHint, int blockBytesMax) {
    return new BlockAssembler(
        cid.codec(), HashFunction.of(cid.multihash()), Optional.of(cid), bytesHint, blockBytesMax);
  }

  /**
   * Takes what remains in the buffer, whose position and limit stay as they are.
   *
   * @throws BlockTooLargeException when that is more than the limit allows
   */
  public void add(ByteBuffer part) {
    int length = part.remaining();
    if (length > blockBytesMax - filled) {
      throw new BlockTooLargeException((long) filled + length, blockBytesMax);
    }
    if (length > buffer.length - filled) {
      long doubled = Math.max(Math.max(firstBytes, 2L * buffer.length), (long) filled + length);
      buffer = Arrays.copyOf(buffer, (int) Math.min(doubled, blockBytesMax));
    }
    part.get(part.position(), buffer, filled, length);
    hasher.update(ByteBuffer.wrap(buffer, filled, length));
    filled += length;
  }

  /** How many bytes have been taken. */
  public int size() {
    return filled;
  }

  /**
   * The block; afterwards this is of no more use.
   *
   * @throws HashMismatchException when a CID was expected and the bytes are not its
   */
  public Block finish() {
    if (finished) {
      throw new IllegalStateException("the block has been made");
    }
    finished = true;
    ByteBuffer bytes = ByteBuffer.wrap(buffer, 0, filled);
    if (expected.isPresent()) {
      return Block.ofHashed(expected.get(), bytes, hasher);
    }
    return Block.ofHashed(codec, bytes, hasher);
  }
}
