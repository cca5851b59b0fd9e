package dev.ashlar.block.car;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ashlar.block.Block;
import dev.ashlar.block.BlockTooLargeException;
import dev.ashlar.block.Cid;
import dev.ashlar.block.HashMismatchException;
import dev.ashlar.block.Multibase;
import dev.ashlar.block.Multicodec;
import dev.ashlar.block.Multihash;
import dev.ashlar.block.Seeds;
import dev.ashlar.block.TestBlocks;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Queue;
import java.util.Random;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CarTest {

  private static final List<Block> BLOCKS =
      List.of(
          TestBlocks.numbered(1, 10),
          TestBlocks.numbered(2, 3000),
          Block.copyOf(new byte[0]),
          TestBlocks.numbered(3, 70_000));

  @Test
  void theHeaderIsCanonicalDagCbor() throws IOException {
    // {"roots": [CID], "version": 1}, as in the CARv1 specification's description of the header.
    Cid root = Cid.parse("bafkreibm6jg3ux5qumhcn2b3flc3tyu6dmlb4xa7u5bf44yegnrjhc4yeq");
    byte[] car = write(List.of(root), List.of());

    assertThat(Multibase.BASE16.encodeBare(car))
        .isEqualTo(
            "3aa265726f6f747381d82a5825000155122"
                + "02cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"
                + "6776657273696f6e01");
  }

  @Test
  void whatIsWrittenIsReadBack() throws IOException {
    List<Cid> roots = List.of(BLOCKS.get(1).cid(), BLOCKS.get(0).cid());
    byte[] car = write(roots, BLOCKS);

    try (CarReader reader = open(car)) {
      assertThat(reader.version()).isEqualTo(1);
      assertThat(reader.roots()).isEqualTo(roots);
      assertThat(readAll(reader)).isEqualTo(BLOCKS);
      assertThat(reader.next()).isEmpty();
      assertThat(reader.offset()).isEqualTo(car.length);
    }
  }

  @Test
  void identityBlocksAreNotWritten() throws IOException {
    Cid identity = Cid.v1(Multicodec.RAW, Multihash.of(Multihash.IDENTITY, new byte[] {1}));

    byte[] car = write(List.of(identity), List.of(Block.inline(identity)));

    assertThat(readAll(open(car))).isEmpty();
  }

  @Test
  void whoInterruptsAWriterDoesNotWriteForIt() throws Exception {
    WaitingStream out = new WaitingStream();
    Thread writer =
        new Thread(
            () -> {
              try {
                CarWriter.open(out, List.of()).write(TestBlocks.numbered(1, 200_000));
              } catch (IOException e) {
                out.failures.add(e);
              }
            });
    writer.start();
    out.entered.await();

    writer.interrupt();
    writer.join();

    assertThat(out.callers).containsOnly(writer);
    assertThat(out.failures).hasSize(1).first().isInstanceOf(InterruptedIOException.class);
  }

  @Test
  void version2IsReadWithAndWithoutIndexFromAStreamThatCannotSeek() throws IOException {
    byte[] version1 = write(List.of(BLOCKS.get(0).cid()), BLOCKS);
    byte[] sorted = concat(new byte[] {(byte) 0x80, 8}, buckets());
    byte[] byHash =
        concat(
            new byte[] {(byte) 0x81, 8},
            littleEndian(4).putInt(1).array(),
            littleEndian(8).putLong(0x12).array(),
            buckets());
    for (byte[] index : List.of(new byte[0], sorted, byHash)) {
      byte[] car = version2(version1, index, 0, 0);

      try (CarReader reader = open(car)) {
        assertThat(reader.version()).isEqualTo(2);
        assertThat(readAll(reader)).isEqualTo(BLOCKS);
        assertThat(reader.offset()).isEqualTo(car.length);
      }
    }
    assertThat(readAll(open(version2(version1, sorted, 13, 7)))).isEqualTo(BLOCKS);
  }

  @Test
  void aVersion2WithWrongOffsetsIsRefused() throws IOException {
    byte[] version1 = write(List.of(), BLOCKS);
    byte[] good = version2(version1, new byte[0], 0, 0);

    assertFails(patched(good, 11 + 16, 50), "inside the header", 27);
    assertFails(patched(good, 11 + 24, 0), "was not finished", 35);
    assertFails(patched(good, 11 + 24, version1.length + 1), "cut off", good.length);
    assertFails(patched(good, 11 + 24, version1.length - 1), "cut off", good.length - 70_036L);
    assertFails(patched(good, 11 + 32, 60), "inside the data", 43);
    assertFails(concat(good, new byte[] {0}), "bytes follow the end", good.length);
    byte[] unknownIndex = version2(version1, new byte[] {5}, 0, 0);
    assertFails(unknownIndex, "unknown format", unknownIndex.length - 1);
  }

  @Test
  void aFileThatClaimsMoreThanItHasIsCutOff(@TempDir Path directory) throws IOException {
    byte[] version1 = write(List.of(), List.of());
    byte[] rows = littleEndian(4 + 12).putInt(1).putInt(40).putLong(40L << 30).array();
    byte[] car = version2(version1, concat(new byte[] {(byte) 0x80, 8}, rows), 0, 0);
    Path file = Files.write(directory.resolve("claims.car"), car);

    try (CarReader reader = CarReader.open(Files.newInputStream(file), CarLimits.DEFAULT)) {
      assertThatThrownBy(reader::next)
          .isInstanceOf(CarException.class)
          .hasMessageContaining("cut off");
      assertThatThrownBy(reader::next).isInstanceOf(CarException.class);
    }
    try (CarReader reader =
        CarReader.open(new java.io.FileInputStream(file.toFile()), CarLimits.DEFAULT)) {
      assertThatThrownBy(reader::next).isInstanceOf(CarException.class);
    }
  }

  @Test
  void everyTruncationFailsExceptBetweenSections() throws IOException {
    List<Block> blocks = List.of(TestBlocks.numbered(1, 10), TestBlocks.numbered(2, 20));
    byte[] whole = write(List.of(), blocks);
    int second = whole.length - (1 + 36 + 20);
    int first = second - (1 + 36 + 10);
    for (int length = 0; length < whole.length; length++) {
      byte[] cut = java.util.Arrays.copyOf(whole, length);
      if (length == first || length == second) {
        assertThat(readAll(open(cut))).hasSize(length == first ? 0 : 1);
      } else {
        int at = length;
        assertThatThrownBy(() -> readAll(open(cut)))
            .isInstanceOfSatisfying(
                CarException.class, e -> assertThat(e.offset()).isBetween(0L, (long) at));
      }
    }
  }

  @Test
  void aBlockThatDoesNotHashToItsCidFailsAtItsSection() throws IOException {
    byte[] car = write(List.of(), List.of(TestBlocks.numbered(1, 10)));
    int section = car.length - 47;
    car[car.length - 1] ^= 1;

    assertThatThrownBy(() -> readAll(open(car)))
        .isInstanceOfSatisfying(CarException.class, e -> assertThat(e.offset()).isEqualTo(section))
        .hasCauseInstanceOf(HashMismatchException.class);
  }

  @Test
  void lengthsAreRefusedBeforeAnythingIsAllocated() throws IOException {
    byte[] header = write(List.of(), List.of());
    byte[] hugeSection = concat(header, new byte[] {-1, -1, -1, -1, -1, -1, -1, 127});
    byte[] hugeHeader = {-1, -1, -1, -1, -1, -1, -1, 127};

    assertThatThrownBy(() -> readAll(open(hugeSection)))
        .hasCauseInstanceOf(BlockTooLargeException.class);
    assertFails(hugeHeader, "is not within", 0);
    assertFails(new byte[0], "empty", 0);
    assertFails(concat(header, new byte[] {0}), "empty", header.length);
    assertFails(concat(header, new byte[] {(byte) 0x80, 0}), "shortest form", header.length);
    byte[] blockOverLimit = write(List.of(), List.of(TestBlocks.numbered(1, 101)));
    assertThatThrownBy(
            () ->
                readAll(
                    CarReader.open(
                        new ByteArrayInputStream(blockOverLimit), CarLimits.blocksOf(100))))
        .hasCauseInstanceOf(BlockTooLargeException.class);
  }

  @Test
  void flippedBytesNeverGiveAWrongBlock() throws IOException {
    long seed = Seeds.next();
    Random random = new Random(seed);
    byte[] whole = write(List.of(BLOCKS.get(0).cid()), BLOCKS.subList(0, 3));
    for (int i = 0; i < 5000; i++) {
      byte[] car = whole.clone();
      for (int flips = 1 + random.nextInt(3); flips > 0; flips--) {
        car[random.nextInt(car.length)] ^= (byte) (1 << random.nextInt(8));
      }
      try {
        for (Block block : readAll(open(car))) {
          assertThat(Block.verified(block.cid(), block.bytes())).isEqualTo(block);
        }
      } catch (CarException e) {
        assertThat(e.offset()).as("ashlar.seed=%d", seed).isBetween(0L, (long) car.length);
      }
    }
  }

  private static byte[] write(List<Cid> roots, List<Block> blocks) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (CarWriter writer = CarWriter.open(out, roots)) {
      for (Block block : blocks) {
        writer.write(block);
      }
    }
    return out.toByteArray();
  }

  private static CarReader open(byte[] car) throws IOException {
    return CarReader.open(new ByteArrayInputStream(car), CarLimits.DEFAULT);
  }

  private static List<Block> readAll(CarReader reader) throws IOException {
    List<Block> blocks = new ArrayList<>();
    for (Optional<Block> next = reader.next(); next.isPresent(); next = reader.next()) {
      blocks.add(next.get());
    }
    return blocks;
  }

  private static void assertFails(byte[] car, String what, long offset) {
    assertThatThrownBy(() -> readAll(open(car)))
        .isInstanceOfSatisfying(
            CarException.class, e -> assertThat(e.offset()).as(e.getMessage()).isEqualTo(offset))
        .hasMessageContaining(what);
  }

  /** Two buckets of the shape that an index has: width, length, rows. */
  private static byte[] buckets() {
    return concat(
        littleEndian(4).putInt(2).array(),
        littleEndian(12 + 80).putInt(40).putLong(80).array(),
        littleEndian(12).putInt(28).putLong(0).array());
  }

  private static byte[] version2(byte[] version1, byte[] index, int padding, int indexPadding) {
    long dataAt = 51L + padding;
    long indexAt = index.length == 0 ? 0 : dataAt + version1.length + indexPadding;
    byte[] header =
        littleEndian(40)
            .putLong(0)
            .putLong(0)
            .putLong(dataAt)
            .putLong(version1.length)
            .putLong(indexAt)
            .array();
    byte[] pragma = Multibase.BASE16.decodeBare("0aa16776657273696f6e02");
    return concat(
        pragma,
        header,
        new byte[padding],
        version1,
        new byte[index.length == 0 ? 0 : indexPadding],
        index);
  }

  private static byte[] patched(byte[] car, int at, long value) {
    byte[] copy = car.clone();
    ByteBuffer.wrap(copy).order(ByteOrder.LITTLE_ENDIAN).putLong(at, value);
    return copy;
  }

  private static ByteBuffer littleEndian(int size) {
    return ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
  }

  private static byte[] concat(byte[]... parts) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    for (byte[] part : parts) {
      out.writeBytes(part);
    }
    return out.toByteArray();
  }

  /** Takes nothing until its writer is interrupted, and remembers who called it. */
  private static final class WaitingStream extends OutputStream {
    private final CountDownLatch entered = new CountDownLatch(1);
    private final Queue<Thread> callers = new ConcurrentLinkedQueue<>();
    private final Queue<IOException> failures = new ConcurrentLinkedQueue<>();

    @Override
    public void write(int b) throws IOException {
      write(new byte[] {(byte) b}, 0, 1);
    }

    @Override
    public void write(byte[] bytes, int offset, int length) throws IOException {
      callers.add(Thread.currentThread());
      if (entered.getCount() == 0) {
        throw new IOException("called again");
      }
      entered.countDown();
      try {
        new CountDownLatch(1).await();
      } catch (InterruptedException e) {
        throw new InterruptedIOException();
      }
    }
  }
}
