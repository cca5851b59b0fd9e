package dev.ashlar.block.engine;

import dev.ashlar.block.BlockCursor;
import dev.ashlar.block.MalformedException;
import dev.ashlar.block.Multihash;
import java.nio.ByteBuffer;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * How far a round of re-reading has come (docs/format.md, "meta"). A member that is started again
 * goes on from there; a place that cannot be read is the start.
 *
 * @param cursor up to where blocks have been read
 * @param slot from where on the heap is still to be compared with the index; empty while blocks are
 *     read
 * @param suspects how many slots seen in this round are damaged, or have nothing that refers to
 *     them
 */
public record ScrubPlace(BlockCursor cursor, OptionalLong slot, long suspects) {

  /** Where a round begins. */
  public static final ScrubPlace START = new ScrubPlace(BlockCursor.START, OptionalLong.empty(), 0);

  static ScrubPlace read(ReadTransaction transaction) {
    return transaction
        .get(MapName.META, Keys.SCRUB)
        .filter(value -> Checksum.isSound(Keys.SCRUB, value))
        .flatMap(ScrubPlace::decode)
        .orElse(START);
  }

  void write(WriteTransaction transaction) {
    byte[] after = cursor.after().map(Multihash::toBytes).orElse(new byte[0]);
    ByteBuffer value =
        ByteBuffer.allocate(2 * Long.BYTES + after.length + Checksum.BYTES)
            .putLong(slot.orElse(-1))
            .putLong(suspects)
            .put(after);
    Meta.put(transaction, Keys.SCRUB, Checksum.seal(Keys.SCRUB, value.array()));
  }

  private static Optional<ScrubPlace> decode(ByteBuffer value) {
    int end = value.limit() - Checksum.BYTES;
    if (end < 2 * Long.BYTES) {
      return Optional.empty();
    }
    long slot = value.getLong(0);
    byte[] after = new byte[end - 2 * Long.BYTES];
    value.get(2 * Long.BYTES, after);
    try {
      return Optional.of(
          new ScrubPlace(
              after.length == 0 ? BlockCursor.START : BlockCursor.after(Multihash.decode(after)),
              slot < 0 ? OptionalLong.empty() : OptionalLong.of(slot),
              value.getLong(Long.BYTES)));
    } catch (MalformedException e) {
      return Optional.empty();
    }
  }
}
