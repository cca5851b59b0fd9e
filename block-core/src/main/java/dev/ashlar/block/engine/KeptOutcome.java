package dev.ashlar.block.engine;

import java.nio.ByteBuffer;
import java.util.BitSet;
import java.util.Optional;

/**
 * What became of an entry where that does not follow from the entry alone: kept under its index
 * until it is compacted, so that a feed can tell effects from attempts.
 *
 * @param index the entry's
 * @param outcome what it did
 * @param collected of a collection, which of its blocks it removed, by their place
 */
record KeptOutcome(long index, Outcome outcome, BitSet collected) {

  /** Whether an entry without a kept outcome would be taken for one with this. */
  static boolean isUsual(Command command, Outcome outcome) {
    if (command instanceof Command.Put) {
      return outcome == Outcome.CREATED;
    }
    if (command instanceof Command.Delete) {
      return outcome == Outcome.DELETED;
    }
    if (command instanceof Command.Roots) {
      return outcome == Outcome.CHANGED;
    }
    return !(command instanceof Command.Collect);
  }

  byte[] encode(byte[] key) {
    byte[] bits = collected.toByteArray();
    ByteBuffer out =
        ByteBuffer.allocate(1 + bits.length + Checksum.BYTES).put((byte) outcome.code()).put(bits);
    return Checksum.seal(key, out.array());
  }

  /** The outcome of a value, or empty where it is damaged. */
  static Optional<KeptOutcome> decode(byte[] key, ByteBuffer value) {
    int length = value.limit() - 1 - Checksum.BYTES;
    if (length < 0 || !Checksum.isSound(key, value)) {
      return Optional.empty();
    }
    return Outcome.of(value.get(0))
        .map(
            outcome ->
                new KeptOutcome(Keys.number(key), outcome, BitSet.valueOf(value.slice(1, length))));
  }
}
