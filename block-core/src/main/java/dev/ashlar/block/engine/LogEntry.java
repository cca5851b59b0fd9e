package dev.ashlar.block.engine;

import dev.ashlar.block.MalformedException;
import dev.ashlar.block.Multihash;
import dev.ashlar.block.root.GarbageBatch;
import dev.ashlar.block.root.RootChanges;
import java.nio.ByteBuffer;
import java.util.Optional;

/**
 * An entry of the log.
 *
 * @param index its place, from 1 on, without gaps
 * @param term the term in which a leader made it
 * @param command what it says
 */
public record LogEntry(long index, long term, Command command) {

  private static final int FIXED_BYTES = Long.BYTES + 1 + 1;
  private static final int BLOCK_BYTES = Long.BYTES + Integer.BYTES + Integer.BYTES + Long.BYTES;

  /** The place and term. */
  public LogPosition position() {
    return new LogPosition(index, term);
  }

  /** The value under the index's key (docs/format.md, "Log"). */
  byte[] encode(byte[] key) {
    ByteBuffer value;
    if (command instanceof Command.Put put) {
      value = blockEntry(put.slot(), put.length(), put.payloadCrc(), put.codec(), put.multihash());
    } else if (command instanceof Command.Touch touch) {
      value = blockEntry(0, 0, 0, 0, touch.multihash());
    } else if (command instanceof Command.Delete delete) {
      value = blockEntry(0, 0, 0, 0, delete.multihash());
    } else if (command instanceof Command.Configuration configuration) {
      value = opaqueEntry(configuration.payload());
    } else if (command instanceof Command.Roots roots) {
      value = opaqueEntry(roots.changes().encode());
    } else if (command instanceof Command.Collect collect) {
      value = opaqueEntry(collect.garbage().encode());
    } else {
      value = opaqueEntry(ByteBuffer.allocate(0));
    }
    value.putLong(0, term).put(Long.BYTES, (byte) command.kind().code());
    return Checksum.seal(key, value.array());
  }

  /** The entry under a key, or empty where the value is damaged. */
  static Optional<LogEntry> decode(byte[] key, ByteBuffer value) {
    if (value.limit() < FIXED_BYTES + Checksum.BYTES || !Checksum.isSound(key, value)) {
      return Optional.empty();
    }
    long index = Keys.number(key);
    long term = value.getLong(0);
    ByteBuffer body = value.slice(FIXED_BYTES, value.limit() - FIXED_BYTES - Checksum.BYTES);
    try {
      return command(value.get(Long.BYTES), body).map(c -> new LogEntry(index, term, c));
    } catch (MalformedException e) {
      return Optional.empty();
    }
  }

  private static Optional<Command> command(int kind, ByteBuffer body) {
    if (kind == Command.Kind.NO_OP.code()) {
      return Optional.of(new Command.NoOp());
    }
    if (kind == Command.Kind.CONFIGURATION.code()) {
      return Optional.of(new Command.Configuration(copy(body)));
    }
    if (kind == Command.Kind.ROOTS.code()) {
      return Optional.of(new Command.Roots(RootChanges.decode(body)));
    }
    if (kind == Command.Kind.COLLECT.code()) {
      return Optional.of(new Command.Collect(GarbageBatch.decode(body)));
    }
    if (body.remaining() < BLOCK_BYTES) {
      return Optional.empty();
    }
    long slot = body.getLong();
    int length = body.getInt();
    int payloadCrc = body.getInt();
    long codec = body.getLong();
    Multihash multihash = Multihash.read(body);
    if (kind == Command.Kind.PUT.code()) {
      return Optional.of(new Command.Put(multihash, codec, length, payloadCrc, slot));
    }
    if (kind == Command.Kind.TOUCH.code()) {
      return Optional.of(new Command.Touch(multihash));
    }
    return kind == Command.Kind.DELETE.code()
        ? Optional.of(new Command.Delete(multihash))
        : Optional.empty();
  }

  private static ByteBuffer blockEntry(
      long slot, int length, int payloadCrc, long codec, Multihash multihash) {
    ByteBuffer value =
        ByteBuffer.allocate(FIXED_BYTES + BLOCK_BYTES + multihash.size() + Checksum.BYTES)
            .position(FIXED_BYTES)
            .putLong(slot)
            .putInt(length)
            .putInt(payloadCrc)
            .putLong(codec);
    multihash.writeTo(value);
    return value;
  }

  private static ByteBuffer opaqueEntry(ByteBuffer payload) {
    return ByteBuffer.allocate(FIXED_BYTES + payload.remaining() + Checksum.BYTES)
        .position(FIXED_BYTES)
        .put(payload.duplicate());
  }

  private static ByteBuffer copy(ByteBuffer body) {
    return ByteBuffer.allocate(body.remaining()).put(body).flip().asReadOnlyBuffer();
  }
}
