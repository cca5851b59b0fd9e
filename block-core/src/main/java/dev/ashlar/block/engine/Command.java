package dev.ashlar.block.engine;

import dev.ashlar.block.Multihash;
import dev.ashlar.block.root.GarbageBatch;
import dev.ashlar.block.root.RootChanges;
import java.nio.ByteBuffer;

/** What a log entry says, as it stands in the log: headers only, no block bytes. */
public sealed interface Command {

  /** The kind's byte on disk and on the wire. */
  Kind kind();

  /** Entry kinds; the numbers are fixed (docs/format.md, "Log"). */
  enum Kind {
    /** A block with bytes. */
    PUT(1),
    /** A put of a block that was live when it was asked for, without bytes. */
    TOUCH(2),
    /** Removal of a block. */
    DELETE(3),
    /** Nothing; begins a leader's term. */
    NO_OP(4),
    /** A membership of the cluster. */
    CONFIGURATION(5),
    /** A change of pins and references. */
    ROOTS(6),
    /** Removal of blocks that no root reaches. */
    COLLECT(7);

    private final int code;

    Kind(int code) {
      this.code = code;
    }

    /** The kind's number. */
    public int code() {
      return code;
    }
  }

  /**
   * A block whose bytes lie in a slot of the heap.
   *
   * @param multihash names the bytes
   * @param codec the codec that it was put with
   * @param length how many bytes
   * @param payloadCrc their CRC32C, made by the node that took the upload
   * @param slot where they lie on this replica
   */
  record Put(Multihash multihash, long codec, int length, int payloadCrc, long slot)
      implements Command {
    @Override
    public Kind kind() {
      return Kind.PUT;
    }
  }

  /** A put of a live block; applied, it renews the index of the last put, or finds it gone. */
  record Touch(Multihash multihash) implements Command {
    @Override
    public Kind kind() {
      return Kind.TOUCH;
    }
  }

  /** Removal of a block. */
  record Delete(Multihash multihash) implements Command {
    @Override
    public Kind kind() {
      return Kind.DELETE;
    }
  }

  /** Nothing. */
  record NoOp() implements Command {
    @Override
    public Kind kind() {
      return Kind.NO_OP;
    }
  }

  /**
   * A membership, opaque to the engine, kept in {@code meta} beside the log.
   *
   * @param payload its bytes; the buffer is not changed by anybody
   */
  record Configuration(ByteBuffer payload) implements Command {
    @Override
    public Kind kind() {
      return Kind.CONFIGURATION;
    }
  }

  /** A change of pins and references, all of it or nothing. */
  record Roots(RootChanges changes) implements Command {
    @Override
    public Kind kind() {
      return Kind.ROOTS;
    }
  }

  /** Removal of blocks that no root reaches. */
  record Collect(GarbageBatch garbage) implements Command {
    @Override
    public Kind kind() {
      return Kind.COLLECT;
    }
  }
}
