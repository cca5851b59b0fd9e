package dev.ashlar.store.lmdb;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ashlar.block.Block;
import dev.ashlar.block.StoreDamagedException;
import dev.ashlar.block.TestBlocks;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class FileWalkTest {

  private static final int PAGE_BYTES = 4096;
  private static final int BRANCH = 1;
  private static final int LEAF = 2;
  private static final int OVERFLOW = 4;

  @TempDir private Path directory;
  private Path file;

  @BeforeEach
  void fill() {
    file = directory.resolve("data.mdb");
    Random random = new Random(7);
    try (LmdbBlockStore store = LmdbBlockStore.open(directory)) {
      for (int round = 0; round < 40; round++) {
        List<Block> blocks = new ArrayList<>();
        for (int i = 0; i < 100; i++) {
          blocks.add(TestBlocks.numbered(round * 100 + i, 50 + random.nextInt(9000)));
        }
        store.putAll(blocks);
        store.delete(blocks.get(random.nextInt(blocks.size())).cid());
      }
    }
  }

  @Test
  void aFileOfManyKindsOfPagesIsSound() throws IOException {
    assertThat(pages(BRANCH)).isNotEmpty();
    assertThat(walk()).isEmpty();
  }

  @Test
  void theFileOfAStoreInUseIsSoundWhileOthersWrite() throws Exception {
    try (LmdbEnvironment environment = LmdbEnvironment.open(directory, LmdbOptions.DEFAULT);
        var engine =
            dev.ashlar.block.engine.StorageEngine.open(environment, LmdbOptions.DEFAULT.engine())) {
      Thread writer = new Thread(() -> write(engine), "writer");
      writer.start();
      for (int i = 0; i < 20; i++) {
        assertThat(engine.findDamage()).isEmpty();
      }
      writer.interrupt();
      writer.join();
    }
  }

  private static void write(dev.ashlar.block.engine.StorageEngine engine) {
    long sequence = 0;
    while (!Thread.currentThread().isInterrupted()) {
      try (var batch = engine.begin()) {
        batch.hardState(new dev.ashlar.block.engine.HardState(++sequence, Optional.empty()));
        batch.commit();
      }
    }
  }

  @Test
  void aPageThatIsZeroIsFound() throws IOException {
    for (int kind : new int[] {BRANCH, LEAF}) {
      List<Long> pages = used(kind);
      byte[] before = read(pages.get(pages.size() / 2));
      write(pages.get(pages.size() / 2), new byte[PAGE_BYTES]);
      assertThat(walk()).isPresent();
      write(pages.get(pages.size() / 2), before);
      assertThat(walk()).isEmpty();
    }
  }

  @Test
  void twoPagesInEachOthersPlaceAreFound() throws IOException {
    List<Long> pages = used(LEAF);
    byte[] one = read(pages.get(1));
    byte[] other = read(pages.get(2));
    write(pages.get(1), other);
    write(pages.get(2), one);

    assertThat(walk().orElseThrow()).contains("another number");

    // Also where each claims to be the other.
    number(one, pages.get(2));
    number(other, pages.get(1));
    write(pages.get(1), other);
    write(pages.get(2), one);

    assertThat(walk()).isPresent();
  }

  @Test
  void flagsThatWouldCompareKeysOtherwiseAreFound() throws IOException {
    byte[] name = "blocks.0".getBytes(java.nio.charset.StandardCharsets.US_ASCII);
    boolean found = false;
    for (long page : used(LEAF)) {
      byte[] bytes = read(page);
      for (int at = 16; at < PAGE_BYTES - name.length - 48; at++) {
        if (java.util.Arrays.equals(bytes, at, at + name.length, name, 0, name.length)) {
          byte[] changed = bytes.clone();
          changed[at + name.length + 4] ^= 2;
          write(page, changed);
          assertThat(walk()).isPresent();
          write(page, bytes);
          found = true;
        }
      }
    }
    assertThat(found).isTrue();
    assertThat(walk()).isEmpty();
  }

  @Test
  void aKeyThatIsHiddenIsFound() throws IOException {
    // One node fewer, as a flipped bit in the bounds of a page would have it.
    for (long page : used(LEAF)) {
      byte[] bytes = read(page);
      ByteBuffer view = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
      int lower = view.getShort(12);
      if (lower <= 18) {
        continue;
      }
      view.putShort(12, (short) (lower - 2));
      write(page, bytes);
      assertThat(walk()).isPresent();
      view.putShort(12, (short) lower);
      write(page, bytes);
    }
    assertThat(walk()).isEmpty();
  }

  @Test
  void noFlippedBitOfAPageHeaderOrNodePointerIsMissed() throws IOException {
    Random random = new Random(3);
    List<Long> pages = new ArrayList<>(used(BRANCH));
    pages.addAll(used(LEAF).subList(0, 30));
    for (long page : pages) {
      byte[] bytes = read(page);
      int lower = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).getShort(12);
      for (int i = 0; i < 40; i++) {
        int at = random.nextInt(lower);
        boolean isPadding = at == 8 || at == 9;
        // Where the free space of a page ends is checked against its nodes alone.
        boolean isUpper = at == 14 || at == 15;
        if (isPadding || isUpper) {
          continue;
        }
        byte[] changed = bytes.clone();
        changed[at] ^= (byte) (1 << random.nextInt(8));
        write(page, changed);
        assertThat(walk()).as("page %d byte %d", page, at).isPresent();
      }
      write(page, bytes);
    }
  }

  @Test
  void aFileThatEndsTooSoonIsFound() throws IOException {
    long size = Files.size(file);
    for (long bytes : new long[] {0, 100, 5000, size / 2, size - 300 * PAGE_BYTES}) {
      Path cut = directory.resolve("cut");
      Files.copy(file, cut, java.nio.file.StandardCopyOption.REPLACE_EXISTING);
      try (FileChannel channel = FileChannel.open(cut, StandardOpenOption.WRITE)) {
        channel.truncate(bytes);
      }
      try (FileChannel channel = FileChannel.open(cut, StandardOpenOption.READ)) {
        assertThat(FileWalk.newest(channel, false)).as("%d bytes", bytes).isPresent();
      }
    }
  }

  @Test
  void afterDoubtTheFileIsWalkedBeforeItIsOpened() throws IOException {
    Files.writeString(directory.resolve("doubt"), "a block failed its checksum");
    LmdbBlockStore.open(directory).close();
    assertThat(directory.resolve("doubt")).doesNotExist();

    write(used(BRANCH).get(0), new byte[PAGE_BYTES]);
    Files.writeString(directory.resolve("doubt"), "a block failed its checksum");

    assertThatThrownBy(() -> LmdbBlockStore.open(directory))
        .isInstanceOf(StoreDamagedException.class)
        .hasMessageContaining("is damaged");
    assertThatThrownBy(() -> LmdbBlockStore.open(directory, LmdbOptions.DEFAULT.acceptingSuspect()))
        .isInstanceOf(StoreDamagedException.class);
  }

  @Test
  void whoDiedTwiceInsideLmdbIsRefused() throws IOException {
    die(41);
    LmdbBlockStore.open(directory).close();
    die(42);

    assertThatThrownBy(() -> LmdbBlockStore.open(directory))
        .isInstanceOf(StoreDamagedException.class)
        .hasMessageContaining("failed 2 times");
    try (LmdbBlockStore store =
        LmdbBlockStore.open(directory, LmdbOptions.DEFAULT.acceptingSuspect())) {
      store.clearSuspicion();
    }
    LmdbBlockStore.open(directory).close();
  }

  @Test
  void whoDiedTwiceOfWhatItsDeviceDidNotGiveIsRefused() throws IOException {
    String log =
        "#  SIGBUS (0x7) at pc=0x00007ff238c084fb, pid=1, tid=2\n#\n# Problematic frame:\n"
            + "# v  ~StubRoutines::updateBytesCRC32C\n\n"
            + "siginfo: si_signo: 7 (SIGBUS), si_code: 2 (BUS_ADRERR), si_addr: 0x00007ef5b74ef00a\n"
            + "7ef5b7200000-7ff1b0000000 r--s 00000000 fe:00 2221175    /srv/ashlar/data.mdb\n";
    die(41, log);
    LmdbBlockStore.open(directory).close();
    die(42, log);

    assertThatThrownBy(() -> LmdbBlockStore.open(directory))
        .isInstanceOf(StoreDamagedException.class)
        .hasMessageContaining("failed 2 times");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "#  SIGSEGV (0xb) at pc=0x1\n# Problematic frame:\n# C  [libother.so+0x1]  f\n",
        "#  SIGBUS (0x7) at pc=0x1\n# Problematic frame:\n# v  ~StubRoutines::jbyte_copy\n"
            + "siginfo: si_signo: 7 (SIGBUS), si_code: 2 (BUS_ADRERR), si_addr: 0x00007ef5b0000000\n"
            + "7ef5a0000000-7ef5b1000000 r--s 00000000 fe:00 1    /usr/lib/jvm/lib/modules\n"
            + "7ef5b7200000-7ff1b0000000 r--s 00000000 fe:00 2    /srv/ashlar/data.mdb\n"
      })
  void whoDiedOfSomethingElseIsNot(String log) throws IOException {
    for (int pid = 41; pid < 45; pid++) {
      die(pid, log);
      LmdbBlockStore.open(directory).close();
    }
    assertThat(directory.resolve("crashes")).doesNotExist();
  }

  @Test
  void valuesAreReadWhereThatIsAskedFor() throws IOException {
    List<Long> live = new ArrayList<>();
    for (long page : pages(OVERFLOW)) {
      byte[] bytes = read(page);
      // Of three pages, so that the next is a value's, and no header of anything.
      if (ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).getInt(12) == 3) {
        write(page, new byte[PAGE_BYTES]);
        if (walk().isPresent()) {
          live.add(page);
        }
        write(page, bytes);
      }
      if (live.size() == 5) {
        break;
      }
    }
    assertThat(live).hasSize(5);

    for (long page : live) {
      try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
        FileChannel failing = new FailingChannel(channel, (page + 1) * PAGE_BYTES);
        assertThat(FileWalk.newest(failing, false)).isEmpty();
        assertThatThrownBy(() -> FileWalk.newest(failing, true))
            .isInstanceOf(IOException.class)
            .hasMessage("Input/output error");
      }
    }
  }

  @Test
  void theFileIsWalkedWhereThreeProcessesInARowAreLost() throws IOException {
    long page = used(BRANCH).get(0);
    byte[] sound = read(page);
    Path lock = directory.resolve("ashlar.lock");
    Files.writeString(lock, "1 1");
    try (LmdbBlockStore store = LmdbBlockStore.open(directory)) {
      assertThat(store.statistics().blocks()).isPositive();
      assertThat(Files.readString(lock)).endsWith(" 2");
    }
    assertThat(lock).isEmptyFile();

    write(page, new byte[PAGE_BYTES]);
    Files.writeString(lock, "1 2");
    for (int attempt = 0; attempt < 3; attempt++) {
      assertThatThrownBy(() -> LmdbBlockStore.open(directory))
          .isInstanceOf(StoreDamagedException.class)
          .hasMessageContaining("page " + page);
      assertThat(lock).hasContent("1 2");
    }

    write(page, sound);
    try (LmdbBlockStore store = LmdbBlockStore.open(directory)) {
      assertThat(store.verify(bytes -> {}).isSound()).isTrue();
      assertThat(Files.readString(lock)).endsWith(" 0");
    }
  }

  @Test
  void aStoreThatDidNotOpenTwiceIsRefused() {
    LmdbBlockStore.noteStuck(directory, "it has not opened");
    LmdbBlockStore.open(directory).close();
    LmdbBlockStore.noteStuck(directory, "it has not opened");

    assertThatThrownBy(() -> LmdbBlockStore.open(directory))
        .isInstanceOf(StoreDamagedException.class)
        .hasMessageContaining("failed 2 times")
        .hasMessageContaining("it has not opened");
  }

  /** Leaves the directory as the JVM does when it dies in native code. */
  private void die(long pid) throws IOException {
    die(pid, "#\n# Problematic frame:\n# C  [lmdbjava-native-library-1.so+0x1]  mdb_page_search\n");
  }

  private void die(long pid, String how) throws IOException {
    Files.writeString(directory.resolve("ashlar.lock"), Long.toString(pid));
    Files.writeString(directory.resolve("hs_err_pid" + pid + ".log"), how);
  }

  private Optional<String> walk() throws IOException {
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
      return FileWalk.newest(channel, false);
    }
  }

  /** Those whose damage the walk finds: free pages may have the same kind. */
  private List<Long> used(int kind) throws IOException {
    List<Long> used = new ArrayList<>();
    for (long page : pages(kind)) {
      byte[] before = read(page);
      write(page, new byte[PAGE_BYTES]);
      if (walk().isPresent()) {
        used.add(page);
      }
      write(page, before);
      if (used.size() == 60) {
        break;
      }
    }
    assertThat(used).isNotEmpty();
    return used;
  }

  private List<Long> pages(int kind) throws IOException {
    List<Long> pages = new ArrayList<>();
    for (long page = 2; page < Files.size(file) / PAGE_BYTES; page++) {
      ByteBuffer header = ByteBuffer.wrap(read(page)).order(ByteOrder.LITTLE_ENDIAN);
      if (header.getLong(0) == page && header.getShort(10) == kind) {
        pages.add(page);
      }
    }
    return pages;
  }

  private byte[] read(long page) throws IOException {
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
      ByteBuffer bytes = ByteBuffer.allocate(PAGE_BYTES);
      channel.read(bytes, page * PAGE_BYTES);
      return bytes.array();
    }
  }

  private void write(long page, byte[] bytes) throws IOException {
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
      channel.write(ByteBuffer.wrap(bytes), page * PAGE_BYTES);
    }
  }

  private static void number(byte[] page, long number) {
    ByteBuffer.wrap(page).order(ByteOrder.LITTLE_ENDIAN).putLong(0, number);
  }
}
