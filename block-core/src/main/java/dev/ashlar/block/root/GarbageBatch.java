package dev.ashlar.block.root;

import dev.ashlar.block.MalformedException;
import dev.ashlar.block.Multihash;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/**
 * Blocks that no root was found to reach, to be deleted where that still holds: nothing is, if any
 * root was set after the marking; a block is not, if it was put after the grace.
 *
 * @param markedAt a log index: all that had taken effect by then was seen by the marking
 * @param graceAt blocks whose last put is above this log index stay
 * @param blocks which ones, at most {@link #BLOCKS_MAX}
 */
public record GarbageBatch(long markedAt, long graceAt, List<Multihash> blocks) {

  /** How many blocks a batch can have. */
  public static final int BLOCKS_MAX = 1024;

  /** Copies the list, and checks the ranges. */
  public GarbageBatch {
    blocks = List.copyOf(blocks);
    boolean isRepeating = Set.copyOf(blocks).size() < blocks.size();
    boolean isSized = !blocks.isEmpty() && blocks.size() <= BLOCKS_MAX;
    if (isRepeating || !isSized || graceAt > markedAt || graceAt < 0) {
      throw new IllegalArgumentException(
          blocks.size() + " blocks, marked at " + markedAt + ", grace " + graceAt);
    }
  }

  /** How many bytes the binary form has. */
  public int bytes() {
    return 2 * Long.BYTES + 2 + blocks.stream().mapToInt(Multihash::size).sum();
  }

  /** The bytes, from position 0. */
  public ByteBuffer encode() {
    ByteBuffer out =
        ByteBuffer.allocate(bytes())
            .putLong(markedAt)
            .putLong(graceAt)
            .putShort((short) blocks.size());
    blocks.forEach(multihash -> multihash.writeTo(out));
    return out.flip();
  }

  /**
   * The batch that these bytes are, all of them.
   *
   * @throws MalformedException when they are none
   */
  public static GarbageBatch decode(ByteBuffer bytes) {
    ByteBuffer in = bytes.slice();
    try {
      long markedAt = in.getLong();
      long graceAt = in.getLong();
      int count = in.getShort() & 0xffff;
      List<Multihash> blocks = new ArrayList<>();
      for (int i = 0; i < count; i++) {
        blocks.add(Multihash.read(in));
      }
      if (in.hasRemaining()) {
        throw new MalformedException("bytes follow a batch of garbage", in.position());
      }
      return new GarbageBatch(markedAt, graceAt, blocks);
    } catch (BufferUnderflowException e) {
      throw new MalformedException("a batch of garbage is cut off", in.position());
    } catch (IllegalArgumentException e) {
      throw new MalformedException("no batch of garbage: " + e.getMessage(), in.position());
    }
  }
}
