package dev.ashlar.block.engine;

import dev.ashlar.block.Block;
import dev.ashlar.block.BlockTooLargeException;
import java.util.Collection;
import java.util.List;

/**
 * Limits of an {@link EngineBlockStore}.
 *
 * @param blockBytesMax the largest block that a put takes, in bytes
 * @param reserveBytes puts are refused when less than this is free, so that deletes, folding and
 *     compaction always have room
 * @param batchBytesMax how many block bytes share a transaction, or one block
 * @param batchBlocksMax how many blocks share a transaction
 */
public record StoreLimits(
    int blockBytesMax, long reserveBytes, int batchBytesMax, int batchBlocksMax) {

  /** 2 MiB a block, 16 MiB in reserve, 2 MiB or 1024 blocks in a transaction. */
  public static final StoreLimits DEFAULT =
      new StoreLimits(Block.BYTES_MAX_DEFAULT, 16L << 20, 2 << 20, 1024);

  /** Checks the ranges. */
  public StoreLimits {
    if (blockBytesMax < 1 || blockBytesMax > Block.BYTES_MAX) {
      throw new IllegalArgumentException(
          "the block limit is 1 to " + Block.BYTES_MAX + " bytes, not " + blockBytesMax);
    }
    if (reserveBytes < 0 || batchBytesMax < 1 || batchBlocksMax < 1) {
      throw new IllegalArgumentException(
          "limits out of range: " + reserveBytes + ", " + batchBytesMax + ", " + batchBlocksMax);
    }
  }

  /**
   * What a put takes, whole or not at all, before anything is done for it.
   *
   * @param blockBytesMax the largest block
   * @return a copy of the collection
   * @throws BlockTooLargeException for a larger block
   * @throws IllegalArgumentException for a block whose buffer was changed after it was made
   */
  public static List<Block> checked(Collection<Block> blocks, int blockBytesMax) {
    List<Block> all = List.copyOf(blocks);
    for (Block block : all) {
      if (block.size() > blockBytesMax) {
        throw new BlockTooLargeException(block.size(), blockBytesMax);
      }
      if (Block.checksum(block.bytes()) != block.crc32c()) {
        throw new IllegalArgumentException(
            "the buffer of " + block.cid() + " was changed after the block was made from it");
      }
    }
    return all;
  }

  /** The same with another block limit. */
  public StoreLimits withBlockBytesMax(int bytes) {
    return new StoreLimits(bytes, reserveBytes, batchBytesMax, batchBlocksMax);
  }

  /** The same with another reserve. */
  public StoreLimits withReserveBytes(long bytes) {
    return new StoreLimits(blockBytesMax, bytes, batchBytesMax, batchBlocksMax);
  }
}
