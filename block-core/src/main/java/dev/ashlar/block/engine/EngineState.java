package dev.ashlar.block.engine;

import dev.ashlar.block.Multihash;
import java.nio.ByteBuffer;
import java.util.Optional;

/**
 * The one record of {@code meta} that every transaction rewrites (docs/format.md, "State"). Mutable
 * while a batch is made; a copy is kept once the batch is durable.
 */
final class EngineState {

  private static final int FIXED_BYTES = 16 * Long.BYTES;

  /** Before version 3 of the format there were no roots. */
  private static final int FIXED_BYTES_WITHOUT_ROOTS = 14 * Long.BYTES;

  /** The entry before the first one of the log. */
  LogPosition base = LogPosition.ZERO;

  /** The last entry of the log. */
  LogPosition last = LogPosition.ZERO;

  /** Entries up to here have taken effect. */
  long applied;

  /** Effects of entries up to here are all in {@code blocks}. */
  long watermark;

  /** While a fold is under way, the last entry whose effect it folds; else 0. */
  long foldUpper;

  /** The last multihash that the fold has done. */
  Optional<Multihash> foldDone = Optional.empty();

  /** Which pair of {@code blocks} and {@code roots} is in use. */
  long generation;

  /** The slot that the next put gets; slots begin with 1 and are never used again. */
  long nextSlot = 1;

  /** Slots in the heap. */
  long heapSlots;

  /** Block bytes in the heap, live or not. */
  long heapBytes;

  /** Rows in {@code blocks}. */
  long foldedBlocks;

  /** Block bytes of those rows. */
  long foldedBytes;

  /** The sequence number of the hard state that was written last; it says which key is newer. */
  long hardStateSequence;

  /** Rows in {@code roots}. */
  long foldedRoots;

  /** The last log index, up to the watermark, at which a root was set. */
  long foldedRootSetAt;

  EngineState copy() {
    EngineState copy = new EngineState();
    copy.base = base;
    copy.last = last;
    copy.applied = applied;
    copy.watermark = watermark;
    copy.foldUpper = foldUpper;
    copy.foldDone = foldDone;
    copy.generation = generation;
    copy.nextSlot = nextSlot;
    copy.heapSlots = heapSlots;
    copy.heapBytes = heapBytes;
    copy.foldedBlocks = foldedBlocks;
    copy.foldedBytes = foldedBytes;
    copy.hardStateSequence = hardStateSequence;
    copy.foldedRoots = foldedRoots;
    copy.foldedRootSetAt = foldedRootSetAt;
    return copy;
  }

  byte[] encode() {
    byte[] done = foldDone.map(Multihash::toBytes).orElse(new byte[0]);
    ByteBuffer value =
        ByteBuffer.allocate(FIXED_BYTES + done.length + Checksum.BYTES)
            .putLong(base.index())
            .putLong(base.term())
            .putLong(last.index())
            .putLong(last.term())
            .putLong(applied)
            .putLong(watermark)
            .putLong(foldUpper)
            .putLong(generation)
            .putLong(nextSlot)
            .putLong(heapSlots)
            .putLong(heapBytes)
            .putLong(foldedBlocks)
            .putLong(foldedBytes)
            .putLong(hardStateSequence)
            .putLong(foldedRoots)
            .putLong(foldedRootSetAt)
            .put(done);
    return Checksum.seal(Keys.STATE, value.array());
  }

  /** The state of a value, or empty where it is damaged. */
  static Optional<EngineState> decode(ByteBuffer value) {
    return decode(value, true);
  }

  /** The state of a value of a version before 3, or empty where it is damaged. */
  static Optional<EngineState> decodeWithoutRoots(ByteBuffer value) {
    return decode(value, false);
  }

  private static Optional<EngineState> decode(ByteBuffer value, boolean hasRoots) {
    int fixed = hasRoots ? FIXED_BYTES : FIXED_BYTES_WITHOUT_ROOTS;
    if (value.limit() < fixed + Checksum.BYTES || !Checksum.isSound(Keys.STATE, value)) {
      return Optional.empty();
    }
    ByteBuffer source = value.duplicate().rewind();
    EngineState state = new EngineState();
    state.base = new LogPosition(source.getLong(), source.getLong());
    state.last = new LogPosition(source.getLong(), source.getLong());
    state.applied = source.getLong();
    state.watermark = source.getLong();
    state.foldUpper = source.getLong();
    state.generation = source.getLong();
    state.nextSlot = source.getLong();
    state.heapSlots = source.getLong();
    state.heapBytes = source.getLong();
    state.foldedBlocks = source.getLong();
    state.foldedBytes = source.getLong();
    state.hardStateSequence = source.getLong();
    if (hasRoots) {
      state.foldedRoots = source.getLong();
      state.foldedRootSetAt = source.getLong();
    }
    if (source.remaining() > Checksum.BYTES) {
      state.foldDone = Optional.of(Multihash.read(source));
    }
    return Optional.of(state);
  }
}
