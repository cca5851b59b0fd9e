package dev.ashlar.block.car;

import dev.ashlar.block.Block;

/**
 * What a reader takes before it gives up.
 *
 * @param headerBytesMax the largest header, which holds the roots, in bytes
 * @param blockBytesMax the largest block, in bytes; at most {@link Block#BYTES_MAX}
 */
public record CarLimits(int headerBytesMax, int blockBytesMax) {

  /** A header of 1 MiB, about 25,000 roots, and blocks of the default limit. */
  public static final CarLimits DEFAULT = new CarLimits(1 << 20, Block.BYTES_MAX_DEFAULT);

  /** Checks the ranges. */
  public CarLimits {
    if (headerBytesMax < 1 || blockBytesMax < 1 || blockBytesMax > Block.BYTES_MAX) {
      throw new IllegalArgumentException(
          "limits out of range: header " + headerBytesMax + ", block " + blockBytesMax);
    }
  }

  /** The default header limit with another block limit. */
  public static CarLimits blocksOf(int blockBytesMax) {
    return new CarLimits(DEFAULT.headerBytesMax, blockBytesMax);
  }
}
