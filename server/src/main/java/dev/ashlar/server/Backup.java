package dev.ashlar.server;

import dev.ashlar.block.Block;
import dev.ashlar.block.Cid;
import dev.ashlar.block.MalformedException;
import dev.ashlar.block.Multihash;
import dev.ashlar.block.UnsignedVarint;
import dev.ashlar.block.car.CarException;
import dev.ashlar.block.car.CarLimits;
import dev.ashlar.block.car.CarReader;
import dev.ashlar.block.car.CarWriter;
import io.vertx.core.json.DecodeException;
import io.vertx.core.json.JsonObject;
import java.io.BufferedWriter;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.io.SequenceInputStream;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Consumer;
import java.util.stream.Stream;

/**
 * A backup in a directory: {@code manifest.ndjson}, what was replicated as of one index, and {@code
 * blocks.car}, a CARv1 with at least those blocks. The manifest is written last, so one that is
 * there is whole (docs/format.md, "Backup").
 */
final class Backup {

  private static final String MANIFEST = "manifest.ndjson";
  private static final String BLOCKS = "blocks.car";
  private static final String LOCK = "backup.lock";

  private final Path directory;

  Backup(Path directory) {
    this.directory = directory;
  }

  /**
   * What a manifest says.
   *
   * @param head of which cluster, as of which index and term, how many blocks and bytes
   * @param rows each block's CID and how many bytes it has, in order
   * @param roots pins and references
   */
  record Manifest(JsonObject head, Map<Multihash, Row> rows, List<SavedRoot> roots) {

    /** Reads lines, and fails where the end is missing. */
    static Manifest read(Stream<String> lines) throws IOException {
      try {
        return read(lines.iterator());
      } catch (DecodeException | NullPointerException | ClassCastException e) {
        throw new IOException("the manifest is no manifest: " + e.getMessage(), e);
      }
    }

    private static Manifest read(Iterator<String> lines) throws IOException {
      JsonObject head = new JsonObject(lines.hasNext() ? lines.next() : "{}");
      Map<Multihash, Row> rows = new LinkedHashMap<>();
      List<SavedRoot> roots = new ArrayList<>();
      while (lines.hasNext()) {
        JsonObject line = new JsonObject(lines.next());
        if (line.getBoolean("end", false)) {
          if (line.getLong("blocks") != rows.size()
              || head.getLong("blocks") != rows.size()
              || line.getLong("roots", 0L) != roots.size()) {
            break;
          }
          return new Manifest(head, rows, roots);
        }
        if (SavedRoot.isOne(line)) {
          roots.add(new SavedRoot(line));
          continue;
        }
        Cid cid = Cid.parse(line.getString("cid"));
        rows.put(cid.multihash(), new Row(cid, line.getInteger("size"), line.getLong("index")));
      }
      throw new IOException("the manifest is cut off");
    }

    void write(BufferedWriter out) throws IOException {
      out.write(head.encode() + "\n");
      for (Row row : rows.values()) {
        JsonObject line =
            new JsonObject()
                .put("cid", row.cid().toString())
                .put("size", row.size())
                .put("index", row.index());
        out.write(line.encode() + "\n");
      }
      for (SavedRoot root : roots) {
        out.write(root.json().encode() + "\n");
      }
      JsonObject end =
          new JsonObject().put("end", true).put("blocks", rows.size()).put("roots", roots.size());
      out.write(end.encode() + "\n");
    }
  }

  /**
   * A block of a manifest.
   *
   * @param index of its last put
   */
  record Row(Cid cid, int size, long index) {}

  /** The manifest, empty where none was completed. */
  Optional<Manifest> manifest() throws IOException {
    Path file = directory.resolve(MANIFEST);
    if (!Files.exists(file)) {
      return Optional.empty();
    }
    try (Stream<String> lines = Files.lines(file)) {
      return Optional.of(Manifest.read(lines));
    }
  }

  /** Writes the manifest, durably, once all its blocks are there. */
  void complete(Manifest manifest) throws IOException {
    Path draft = directory.resolve(MANIFEST + ".part");
    try (BufferedWriter out = Files.newBufferedWriter(draft)) {
      manifest.write(out);
    }
    DurableFile.replace(directory.resolve(MANIFEST), draft);
  }

  /**
   * What was found in the file of blocks.
   *
   * @param end where the last whole frame ends; what follows is what a stop in a write has left
   * @param damaged how many frames are whole and have not the bytes that their CID names
   */
  record Found(long end, long damaged) {}

  /** Reads all blocks, each verified; those that are damaged are passed over. */
  Found read(Consumer<Block> blocks) throws IOException {
    Path file = directory.resolve(BLOCKS);
    byte[] header = header();
    long at = 0;
    long damaged = 0;
    while (true) {
      long base = at == 0 ? 0 : at - header.length;
      try (CarReader reader =
          CarReader.open(from(file, at, header), CarLimits.blocksOf(Block.BYTES_MAX))) {
        at = base + reader.offset();
        for (Optional<Block> next = reader.next(); next.isPresent(); next = reader.next()) {
          blocks.accept(next.get());
          at = base + reader.offset();
        }
        return new Found(at, damaged);
      } catch (CarException e) {
        if (at == 0) {
          throw new IOException(file + " is not the blocks of a backup: " + e.getMessage(), e);
        }
        OptionalLong next = frameEnd(file, at);
        if (next.isEmpty()) {
          return new Found(at, damaged);
        }
        damaged++;
        at = next.getAsLong();
      }
    }
  }

  private static InputStream from(Path file, long at, byte[] header) throws IOException {
    InputStream in = Files.newInputStream(file);
    if (at == 0) {
      return in;
    }
    in.skipNBytes(at);
    return new SequenceInputStream(new ByteArrayInputStream(header), in);
  }

  private static byte[] header() throws IOException {
    ByteArrayOutputStream header = new ByteArrayOutputStream();
    CarWriter.open(header, List.of()).close();
    return header.toByteArray();
  }

  /** Where the frame that begins at a place ends; empty where the file ends before it does. */
  private static OptionalLong frameEnd(Path file, long at) throws IOException {
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
      ByteBuffer start = ByteBuffer.allocate(UnsignedVarint.BYTES_MAX);
      channel.read(start, at);
      start.flip();
      long length = UnsignedVarint.read(start);
      long end = at + start.position() + length;
      return end <= channel.size() ? OptionalLong.of(end) : OptionalLong.empty();
    } catch (MalformedException e) {
      return OptionalLong.empty();
    }
  }

  /**
   * Opens the blocks to add some. What a stop in the middle of a write has left at the end is cut
   * off.
   *
   * @param found is given each sound block that is there
   */
  CarWriter append(Consumer<Block> found) throws IOException {
    Path file = directory.resolve(BLOCKS);
    if (!Files.exists(file) || Files.size(file) == 0) {
      return CarWriter.open(
          Files.newOutputStream(file, StandardOpenOption.CREATE, StandardOpenOption.APPEND),
          List.of());
    }
    long end = read(found).end();
    FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE);
    channel.truncate(end);
    channel.position(end);
    return CarWriter.append(Channels.newOutputStream(channel));
  }

  /**
   * Keeps the directory to one run, until it is closed.
   *
   * @throws IOException where another one has it
   */
  Closeable lock() throws IOException {
    Files.createDirectories(directory);
    FileChannel channel =
        FileChannel.open(
            directory.resolve(LOCK), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
    if (channel.tryLock() == null) {
      channel.close();
      throw new IOException("another backup into " + directory + " is under way");
    }
    return channel;
  }

  /** Makes the blocks durable. */
  void force() throws IOException {
    try (FileChannel file = FileChannel.open(directory.resolve(BLOCKS), StandardOpenOption.WRITE)) {
      file.force(true);
    }
  }
}
