package dev.ashlar.block.engine;

import java.nio.ByteBuffer;
import java.util.Optional;
import java.util.UUID;

/**
 * Hard state as it lies in {@code meta}: under two keys in turn, each with a sequence number, so
 * that damage to one leaves the one before it (docs/format.md, "Hard state").
 */
final class HardStates {

  private static final int VALUE_BYTES = Long.BYTES + Long.BYTES + 1 + 2 * Long.BYTES;

  private HardStates() {}

  static byte[] encode(byte[] key, long sequence, HardState value) {
    UUID vote = value.vote().orElse(new UUID(0, 0));
    ByteBuffer bytes =
        ByteBuffer.allocate(VALUE_BYTES + Checksum.BYTES)
            .putLong(sequence)
            .putLong(value.term())
            .put((byte) (value.vote().isPresent() ? 1 : 0))
            .putLong(vote.getMostSignificantBits())
            .putLong(vote.getLeastSignificantBits());
    return Checksum.seal(key, bytes.array());
  }

  /** The one with this sequence number; empty where it is missing or damaged. */
  static Optional<HardState> read(ReadTransaction transaction, long sequence) {
    byte[] key = Keys.hardState(sequence);
    return transaction
        .get(MapName.META, key)
        .filter(v -> v.limit() == VALUE_BYTES + Checksum.BYTES && Checksum.isSound(key, v))
        .filter(v -> v.getLong(0) == sequence)
        .map(HardStates::decode);
  }

  private static HardState decode(ByteBuffer value) {
    Optional<UUID> vote =
        value.get(16) == 1
            ? Optional.of(new UUID(value.getLong(17), value.getLong(25)))
            : Optional.empty();
    return new HardState(value.getLong(8), vote);
  }
}
