package dev.ashlar.block;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/** Blocks for tests. */
public final class TestBlocks {

  private TestBlocks() {}

  /** A raw block of random bytes; the same number gives the same block. */
  public static Block numbered(long number, int size) {
    byte[] bytes = new byte[size];
    new Random(number * 31 + size).nextBytes(bytes);
    return Block.of(Multicodec.RAW, HashFunction.SHA2_256, ByteBuffer.wrap(bytes));
  }

  /** So many blocks of so many bytes, numbered from a first one on. */
  public static List<Block> many(long firstNumber, int count, int size) {
    List<Block> blocks = new ArrayList<>(count);
    for (int i = 0; i < count; i++) {
      blocks.add(numbered(firstNumber + i, size));
    }
    return blocks;
  }
}
