package dev.ashlar.benchmarks;

import dev.ashlar.block.Block;
import dev.ashlar.block.HashFunction;
import dev.ashlar.block.Multicodec;
import dev.ashlar.store.lmdb.LmdbBlockStore;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Random;
import java.util.function.Function;
import java.util.stream.Stream;
import org.lmdbjava.Dbi;
import org.lmdbjava.DbiFlags;
import org.lmdbjava.Env;
import org.lmdbjava.EnvFlags;
import org.lmdbjava.PutFlags;
import org.lmdbjava.Txn;

/**
 * Durable puts in batches: Ashlar's layout beside an append with fdatasync (the floor), LMDB with
 * the bytes in log order and no index, and LMDB with the bytes under their hash.
 *
 * <p>Rounds of the layouts alternate, so that the drift of the machine meets all of them alike.
 * LMDB is used here through a heap buffer proxy of its library, which the plain layouts pay for
 * alike.
 */
final class Layouts {

  private static final int ROUNDS = 5;

  /** One layout under measurement. */
  interface Sink extends AutoCloseable {
    void put(List<Block> batch) throws IOException;

    @Override
    void close() throws IOException;
  }

  private record Layout(String name, Function<Path, Sink> opens) {}

  private record Shape(int bytes, int batch, int batches) {}

  private Layouts() {}

  static void run(Path directory) throws IOException {
    List<Layout> layouts =
        List.of(
            new Layout("append+fdatasync", AppendSink::new),
            new Layout("ashlar", AshlarSink::new),
            new Layout("lmdb in log order", d -> new PlainSink(d, false)),
            new Layout("lmdb under the hash", d -> new PlainSink(d, true)));
    List<Shape> shapes =
        List.of(
            new Shape(1 << 10, 1, 3000),
            new Shape(1 << 10, 8, 2000),
            new Shape(1 << 10, 64, 1500),
            new Shape(16 << 10, 8, 800),
            new Shape(256 << 10, 1, 300),
            new Shape(256 << 10, 8, 60),
            new Shape(1 << 20, 8, 20));
    warmPageCache(directory, 1L << 31);
    System.out.printf("%-12s", "blocks/s");
    layouts.forEach(layout -> System.out.printf("%24s", layout.name));
    System.out.println("   (ratio to the floor)");
    for (Shape shape : shapes) {
      report(directory, layouts, shape);
    }
  }

  private static void report(Path directory, List<Layout> layouts, Shape shape) throws IOException {
    List<Sink> sinks = new ArrayList<>();
    List<List<Double>> rates = new ArrayList<>();
    for (Layout layout : layouts) {
      Path place = Files.createTempDirectory(directory, "layout");
      sinks.add(layout.opens.apply(place));
      rates.add(new ArrayList<>());
    }
    Random random = new Random(shape.bytes);
    for (int round = 0; round < ROUNDS; round++) {
      for (int i = 0; i < sinks.size(); i++) {
        List<List<Block>> batches = batches(shape, random);
        long start = System.nanoTime();
        for (List<Block> batch : batches) {
          sinks.get(i).put(batch);
        }
        double seconds = (System.nanoTime() - start) / 1e9;
        rates.get(i).add(shape.batches * shape.batch / seconds);
      }
    }
    for (Sink sink : sinks) {
      sink.close();
    }
    double floor = median(rates.get(0));
    System.out.printf("%-12s", (shape.bytes >> 10) + "K x" + shape.batch);
    for (List<Double> each : rates) {
      System.out.printf("%16.0f (%4.2f)", median(each), median(each) / floor);
    }
    System.out.println();
    deleteBelow(directory);
  }

  private static List<List<Block>> batches(Shape shape, Random random) {
    List<List<Block>> batches = new ArrayList<>();
    for (int b = 0; b < shape.batches; b++) {
      List<Block> batch = new ArrayList<>();
      for (int i = 0; i < shape.batch; i++) {
        byte[] bytes = new byte[shape.bytes];
        random.nextBytes(bytes);
        batch.add(Block.of(Multicodec.RAW, HashFunction.SHA2_256, ByteBuffer.wrap(bytes)));
      }
      batches.add(batch);
    }
    return batches;
  }

  static double median(List<Double> values) {
    return values.stream().sorted().toList().get(values.size() / 2);
  }

  /** The first touch of memory that the host has taken back is slow: touch it before measuring. */
  private static void warmPageCache(Path directory, long bytes) throws IOException {
    Path file = Files.createTempFile(directory, "warm", "");
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
      ByteBuffer part = ByteBuffer.allocateDirect(1 << 20);
      for (long written = 0; written < bytes; written += part.capacity()) {
        channel.write(part.clear());
      }
    }
    Files.delete(file);
  }

  static void deleteBelow(Path directory) throws IOException {
    try (Stream<Path> below = Files.walk(directory)) {
      for (Path path : below.sorted(Comparator.reverseOrder()).toList()) {
        if (!path.equals(directory)) {
          Files.delete(path);
        }
      }
    }
  }

  private static RuntimeException unchecked(IOException e) {
    return new java.io.UncheckedIOException(e);
  }

  private static final class AppendSink implements Sink {
    private final FileChannel channel;

    AppendSink(Path directory) {
      try {
        channel =
            FileChannel.open(
                directory.resolve("log"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
      } catch (IOException e) {
        throw unchecked(e);
      }
    }

    @Override
    public void put(List<Block> batch) throws IOException {
      ByteBuffer[] parts = batch.stream().map(Block::bytes).toArray(ByteBuffer[]::new);
      while (parts[parts.length - 1].hasRemaining()) {
        channel.write(parts);
      }
      channel.force(false);
    }

    @Override
    public void close() throws IOException {
      channel.close();
    }
  }

  private static final class AshlarSink implements Sink {
    private final LmdbBlockStore store;

    AshlarSink(Path directory) {
      store = LmdbBlockStore.open(directory);
    }

    @Override
    public void put(List<Block> batch) {
      store.putAll(batch);
    }

    @Override
    public void close() {
      store.close();
    }
  }

  private static final class PlainSink implements Sink {
    private final Env<byte[]> env;
    private final Dbi<byte[]> map;
    private final boolean underTheHash;
    private long next;

    PlainSink(Path directory, boolean underTheHash) {
      this.underTheHash = underTheHash;
      env =
          Env.create(org.lmdbjava.ByteArrayProxy.PROXY_BA)
              .setMapSize(1L << 40)
              .setMaxDbs(1)
              .open(directory.toFile(), EnvFlags.MDB_NOTLS);
      map = env.openDbi("blocks", DbiFlags.MDB_CREATE);
    }

    @Override
    public void put(List<Block> batch) {
      try (Txn<byte[]> transaction = env.txnWrite()) {
        for (Block block : batch) {
          if (underTheHash) {
            map.put(transaction, block.cid().multihash().toBytes(), block.toByteArray());
          } else {
            byte[] key = ByteBuffer.allocate(Long.BYTES).putLong(next++).array();
            map.put(transaction, key, block.toByteArray(), PutFlags.MDB_APPEND);
          }
        }
        transaction.commit();
      }
    }

    @Override
    public void close() {
      env.close();
    }
  }
}
