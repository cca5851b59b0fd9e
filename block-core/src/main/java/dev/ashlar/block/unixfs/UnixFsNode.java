package dev.ashlar.block.unixfs;

import dev.ashlar.block.MalformedException;
import dev.ashlar.block.ipld.PbNode;
import dev.ashlar.block.ipld.Protobuf;
import dev.ashlar.block.ipld.ProtobufWriter;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * What the data of a dag-pb node says of a file, a directory or a part of one (UnixFS
 * specification, "Data Format").
 *
 * @param type what it is
 * @param data bytes of a file that lie here, or the target of a symlink, or the bitmap of a shard;
 *     a part of the block's bytes
 * @param fileSize how many bytes the file has from here on
 * @param blockSizes how many of them each link has, in their order
 * @param fanout how many places a shard has
 * @param hashType the multicodec of the hash that distributes names over shards
 */
public record UnixFsNode(
    Type type,
    Optional<ByteBuffer> data,
    OptionalLong fileSize,
    List<Long> blockSizes,
    long fanout,
    long hashType) {

  /** No size, and no sum of the sizes of a block's links, is larger. */
  private static final long SIZE_MAX = 1L << 45;

  /**
   * Checks that its sizes can be added.
   *
   * @throws MalformedException when they are more than any file has
   */
  public UnixFsNode {
    blockSizes = List.copyOf(blockSizes);
    long left = SIZE_MAX;
    for (long size : blockSizes) {
      left -= size(size);
      if (left < 0) {
        throw new MalformedException("the sizes of a UnixFS node's parts are out of range");
      }
    }
  }

  /** What a node can be. */
  public enum Type {
    /** Bytes of a file, as a leaf. */
    RAW(0),
    /** A directory in one block. */
    DIRECTORY(1),
    /** A file, or a part of one. */
    FILE(2),
    /** Not used by anybody. */
    METADATA(3),
    /** A symlink; its data is the target. */
    SYMLINK(4),
    /** A part of a directory that is spread over many blocks. */
    HAMT_SHARD(5);

    private final int number;

    Type(int number) {
      this.number = number;
    }
  }

  /**
   * Reads a dag-pb node's data.
   *
   * @throws MalformedException when it is not UnixFS
   */
  public static UnixFsNode decode(ByteBuffer bytes) {
    Optional<Type> type = Optional.empty();
    Optional<ByteBuffer> data = Optional.empty();
    OptionalLong fileSize = OptionalLong.empty();
    List<Long> blockSizes = new ArrayList<>();
    long fanout = 0;
    long hashType = 0;
    Protobuf message = new Protobuf(bytes);
    while (message.next()) {
      switch (message.field()) {
        case 1 -> type = Optional.of(type(message.number()));
        case 2 -> data = Optional.of(message.bytes());
        case 3 -> fileSize = OptionalLong.of(size(message.number()));
        case 4 -> addSizes(message, blockSizes);
        case 5 -> hashType = message.number();
        case 6 -> fanout = message.number();
        default -> {
          // Mode and time of modification, or what is yet to come: of no use here.
        }
      }
    }
    return new UnixFsNode(
        type.orElseThrow(() -> new MalformedException("a UnixFS node has a type")),
        data,
        fileSize,
        blockSizes,
        fanout,
        hashType);
  }

  /** What a dag-pb node is in the file system; empty where it has no part in one. */
  public static Optional<UnixFsNode> of(PbNode node) {
    try {
      return node.data().map(UnixFsNode::decode);
    } catch (MalformedException e) {
      // dag-pb is older than UnixFS, and its data can be anything.
      return Optional.empty();
    }
  }

  /** Its bytes as most write them: each size by itself, and no number that is not set. */
  public ByteBuffer encode() {
    ProtobufWriter message = new ProtobufWriter().number(1, type.number);
    data.ifPresent(bytes -> message.bytes(2, bytes));
    fileSize.ifPresent(size -> message.number(3, size));
    blockSizes.forEach(size -> message.number(4, size));
    if (hashType != 0) {
      message.number(5, hashType);
    }
    if (fanout != 0) {
      message.number(6, fanout);
    }
    return message.toBytes();
  }

  /** How many bytes of a file lie in the block itself. */
  public int dataBytes() {
    return isFile() ? data.map(ByteBuffer::remaining).orElse(0) : 0;
  }

  /** How many bytes the file has from here on; where it does not say, those of its parts. */
  public long size() {
    return fileSize.orElseGet(this::ownAndParts);
  }

  /** How many bytes of the file are in it and, as it says, in its parts. */
  public long ownAndParts() {
    return dataBytes() + blockSizes.stream().mapToLong(Long::longValue).sum();
  }

  /** Whether it has bytes of a file. */
  public boolean isFile() {
    return type == Type.FILE || type == Type.RAW;
  }

  private static Type type(long number) {
    return Arrays.stream(Type.values())
        .filter(type -> type.number == number)
        .findFirst()
        .orElseThrow(() -> new MalformedException("UnixFS has no type " + number));
  }

  /** Written one by one by most, packed by some. */
  private static void addSizes(Protobuf message, List<Long> sizes) {
    if (!message.isBytes()) {
      sizes.add(size(message.number()));
      return;
    }
    ByteBuffer packed = message.bytes();
    while (packed.hasRemaining()) {
      sizes.add(size(Protobuf.varint(packed)));
    }
  }

  private static long size(long number) {
    if (number < 0 || number > SIZE_MAX) {
      throw new MalformedException("a UnixFS size is out of range");
    }
    return number;
  }
}
