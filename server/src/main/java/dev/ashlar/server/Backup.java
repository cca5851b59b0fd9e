package dev.ashlar.server;

import dev.ashlar.block.Block;
import dev.ashlar.block.Cid;
import dev.ashlar.block.Multihash;
import dev.ashlar.block.car.CarException;
import dev.ashlar.block.car.CarLimits;
import dev.ashlar.block.car.CarReader;
import dev.ashlar.block.car.CarWriter;
import io.vertx.core.json.DecodeException;
import io.vertx.core.json.JsonObject;
import java.io.BufferedWriter;
import java.io.IOException;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
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
  private static final int BLOCK_BYTES_MAX = Block.BYTES_MAX;

  private final Path directory;

  Backup(Path directory) {
    this.directory = directory;
  }

  /**
   * What a manifest says.
   *
   * @param head of which cluster, as of which index and term, how many blocks and bytes
   * @param rows each block's CID and how many bytes it has, in order
   */
  record Manifest(JsonObject head, Map<Multihash, Row> rows) {

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
      while (lines.hasNext()) {
        JsonObject line = new JsonObject(lines.next());
        if (line.getBoolean("end", false)) {
          if (line.getLong("blocks") != rows.size() || head.getLong("blocks") != rows.size()) {
            break;
          }
          return new Manifest(head, rows);
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
      out.write(new JsonObject().put("end", true).put("blocks", rows.size()).encode() + "\n");
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
    try (FileChannel file = FileChannel.open(draft, StandardOpenOption.WRITE)) {
      file.force(true);
    }
    Files.move(
        draft,
        directory.resolve(MANIFEST),
        StandardCopyOption.ATOMIC_MOVE,
        StandardCopyOption.REPLACE_EXISTING);
    try (FileChannel self = FileChannel.open(directory, StandardOpenOption.READ)) {
      self.force(true);
    }
  }

  /**
   * Reads all blocks, each verified.
   *
   * @return where the last whole block ends
   */
  long read(Consumer<Block> blocks) throws IOException {
    try (CarReader reader =
        CarReader.open(
            Files.newInputStream(directory.resolve(BLOCKS)), CarLimits.blocksOf(BLOCK_BYTES_MAX))) {
      for (Optional<Block> next = reader.next(); next.isPresent(); next = reader.next()) {
        blocks.accept(next.get());
      }
      return reader.offset();
    }
  }

  /**
   * Opens the blocks to add some. What a stop in the middle of a write has left at the end is cut
   * off.
   *
   * @param found is given each block that is there
   */
  CarWriter append(Consumer<Block> found) throws IOException {
    Files.createDirectories(directory);
    Path file = directory.resolve(BLOCKS);
    if (!Files.exists(file) || Files.size(file) == 0) {
      return CarWriter.open(
          Files.newOutputStream(file, StandardOpenOption.CREATE, StandardOpenOption.APPEND),
          java.util.List.of());
    }
    long end = soundEnd(file, found);
    FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE);
    channel.truncate(end);
    channel.position(end);
    return CarWriter.append(Channels.newOutputStream(channel));
  }

  private static long soundEnd(Path file, Consumer<Block> found) throws IOException {
    long end = 0;
    try (CarReader reader =
        CarReader.open(Files.newInputStream(file), CarLimits.blocksOf(BLOCK_BYTES_MAX))) {
      end = reader.offset();
      for (Optional<Block> next = reader.next(); next.isPresent(); next = reader.next()) {
        found.accept(next.get());
        end = reader.offset();
      }
    } catch (CarException e) {
      if (end == 0) {
        throw new IOException(file + " is not the blocks of a backup: " + e.getMessage(), e);
      }
    }
    return end;
  }

  /** Makes the blocks durable. */
  void force() throws IOException {
    try (FileChannel file = FileChannel.open(directory.resolve(BLOCKS), StandardOpenOption.WRITE)) {
      file.force(true);
    }
  }
}
