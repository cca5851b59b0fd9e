package dev.ashlar.block.ipld;

import dev.ashlar.block.MalformedException;

/**
 * Counts the values that a block is made of: each takes far more memory than the byte it can be.
 */
final class ValueCount {

  private int left = NodeCodec.VALUES_MAX;

  /** One more. */
  void add() {
    if (--left < 0) {
      throw new MalformedException(
          "a block that is to be decoded has at most " + NodeCodec.VALUES_MAX + " values");
    }
  }
}
