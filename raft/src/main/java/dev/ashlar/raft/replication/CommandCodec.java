package dev.ashlar.raft.replication;

import dev.ashlar.block.Block;
import dev.ashlar.block.BlockException;
import dev.ashlar.block.Cid;
import dev.ashlar.block.MalformedException;
import dev.ashlar.block.Multihash;
import dev.ashlar.block.engine.Command;
import dev.ashlar.block.root.GarbageBatch;
import dev.ashlar.block.root.RootChanges;
import dev.ashlar.raft.core.Payload;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.util.List;

/**
 * The binary form of commands and of what entries carry (docs/format.md, "Commands"). Block bytes
 * are never copied: encoded they follow the header in a buffer of their own, decoded they are a
 * slice.
 */
public final class CommandCodec {

  /** The version of the form that is written; others are refused by number. */
  public static final int VERSION = 1;

  private static final int FIXED_BYTES = 1 + 1 + 4;

  private CommandCodec() {}

  /** The bytes of a payload: a header, and where it is a put the block's bytes as they lie. */
  public static List<ByteBuffer> encode(Payload payload) {
    if (payload instanceof Payload.Command command) {
      return encode((BlockCommand) command.content());
    }
    if (payload instanceof Payload.Configuration configuration) {
      ByteBuffer body = MembershipCodec.encode(configuration.membership());
      return List.of(header(Command.Kind.CONFIGURATION, body.remaining(), 0), body);
    }
    return List.of(header(Command.Kind.NO_OP, 0, 0));
  }

  /** The bytes of a command. */
  public static List<ByteBuffer> encode(BlockCommand command) {
    if (command instanceof BlockCommand.Put put) {
      Block block = put.block();
      Multihash multihash = block.cid().multihash();
      int fixed = 8 + 4 + multihash.size();
      ByteBuffer head = header(Command.Kind.PUT, fixed + block.size(), fixed);
      head.position(FIXED_BYTES).putLong(block.cid().codec()).putInt(block.crc32c());
      multihash.writeTo(head);
      return List.of(head.flip(), block.bytes());
    }
    if (command instanceof BlockCommand.Touch touch) {
      return List.of(named(Command.Kind.TOUCH, touch.multihash()));
    }
    if (command instanceof BlockCommand.Roots roots) {
      ByteBuffer body = roots.changes().encode();
      return List.of(header(Command.Kind.ROOTS, body.remaining(), 0), body);
    }
    if (command instanceof BlockCommand.Collect collect) {
      ByteBuffer body = collect.garbage().encode();
      return List.of(header(Command.Kind.COLLECT, body.remaining(), 0), body);
    }
    return List.of(named(Command.Kind.DELETE, ((BlockCommand.Delete) command).multihash()));
  }

  /**
   * The payload that begins at the buffer's position, which moves behind it. Block bytes stay in
   * the buffer's memory; they are checked against the CRC32C that came with them.
   *
   * @throws MalformedException when there is none, or its version or kind is not known
   */
  public static Payload decode(ByteBuffer source) {
    int start = source.position();
    try {
      int version = source.get();
      if (version != VERSION) {
        throw new MalformedException("a command of version " + version + " is not known", start);
      }
      int kind = source.get();
      int length = source.getInt();
      if (length < 0 || length > source.remaining()) {
        throw new MalformedException("a command is cut off", source.position());
      }
      ByteBuffer body = source.slice(source.position(), length);
      source.position(source.position() + length);
      return payload(kind, body, start);
    } catch (BufferUnderflowException e) {
      throw new MalformedException("a command is cut off", start);
    }
  }

  private static Payload payload(int kind, ByteBuffer body, int start) {
    if (kind == Command.Kind.PUT.code()) {
      return new Payload.Command(put(body, start));
    }
    if (kind == Command.Kind.TOUCH.code()) {
      return new Payload.Command(new BlockCommand.Touch(whole(body)));
    }
    if (kind == Command.Kind.DELETE.code()) {
      return new Payload.Command(new BlockCommand.Delete(whole(body)));
    }
    if (kind == Command.Kind.ROOTS.code()) {
      return new Payload.Command(new BlockCommand.Roots(RootChanges.decode(body)));
    }
    if (kind == Command.Kind.COLLECT.code()) {
      return new Payload.Command(new BlockCommand.Collect(GarbageBatch.decode(body)));
    }
    if (kind == Command.Kind.NO_OP.code() && !body.hasRemaining()) {
      return new Payload.NoOp();
    }
    if (kind == Command.Kind.CONFIGURATION.code()) {
      return new Payload.Configuration(MembershipCodec.decode(body));
    }
    throw new MalformedException("a command of kind " + kind + " is not known", start);
  }

  private static BlockCommand put(ByteBuffer body, int start) {
    long codec = body.getLong();
    int crc = body.getInt();
    Multihash multihash = Multihash.read(body);
    if (body.remaining() > Block.BYTES_MAX) {
      throw new MalformedException("a block of " + body.remaining() + " bytes", start);
    }
    try {
      return new BlockCommand.Put(Block.stored(Cid.v1(codec, multihash), body.slice(), crc));
    } catch (BlockException e) {
      throw new MalformedException(
          "the bytes of " + multihash + " do not have the checksum they came with", start);
    }
  }

  private static Multihash whole(ByteBuffer body) {
    Multihash multihash = Multihash.read(body);
    if (body.hasRemaining()) {
      throw new MalformedException("bytes follow a multihash", body.position());
    }
    return multihash;
  }

  private static ByteBuffer named(Command.Kind kind, Multihash multihash) {
    ByteBuffer head = header(kind, multihash.size(), multihash.size());
    head.position(FIXED_BYTES);
    multihash.writeTo(head);
    return head.flip();
  }

  /** A header with room for a part of the body, at position 0 where there is none. */
  private static ByteBuffer header(Command.Kind kind, int bodyBytes, int room) {
    return ByteBuffer.allocate(FIXED_BYTES + room)
        .put((byte) VERSION)
        .put((byte) kind.code())
        .putInt(bodyBytes)
        .position(0);
  }
}
