package dev.ashlar.store.lmdb;

import dev.ashlar.block.NoSpaceException;
import dev.ashlar.block.StoreClosedException;
import dev.ashlar.block.StoreDamagedException;
import dev.ashlar.block.StoreFailedException;
import dev.ashlar.block.engine.Environment;
import dev.ashlar.block.engine.MapName;
import dev.ashlar.block.engine.ReadTransaction;
import dev.ashlar.block.engine.WriteTransaction;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.FileStore;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.EnumMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Semaphore;
import org.jspecify.annotations.Nullable;
import org.lmdbjava.Dbi;
import org.lmdbjava.DbiFlags;
import org.lmdbjava.Env;
import org.lmdbjava.EnvFlags;
import org.lmdbjava.EnvInfo;
import org.lmdbjava.Stat;
import org.lmdbjava.Txn;

/**
 * The engine's ordered maps in one LMDB environment.
 *
 * <p>Every commit is fully synced: none of {@code MDB_NOSYNC}, {@code MDB_NOMETASYNC} and {@code
 * MDB_WRITEMAP} is ever set. Readers are bound to no thread and are kept for reuse; a semaphore
 * below LMDB's own limit makes more of them wait. The map's size is address space, chosen once.
 */
public final class LmdbEnvironment implements Environment {

  private static final long MAP_BYTES_MIN = 64L << 30;
  private static final long MAP_BYTES_MAX = 32L << 40;
  private static final int FILE_MODE = 0600;
  private static final int LOCK_FILE_HEADER_BYTES = 4096;
  private static final int READER_SLOT_BYTES = 64;

  private final Path directory;
  private final DirectoryLock lock;
  private final Suspicion suspicion;
  private final FileStore fileStore;
  private final Env<ByteBuffer> env;
  private final Map<MapName, Dbi<ByteBuffer>> maps = new EnumMap<>(MapName.class);
  private final Semaphore readers;
  private final int readersMax;
  private final ConcurrentLinkedQueue<LmdbReader> idleReaders = new ConcurrentLinkedQueue<>();
  private final KeyBuffer writerKeys = new KeyBuffer();
  private volatile @Nullable RuntimeException failure;
  private volatile boolean closed;

  private LmdbEnvironment(Path directory, DirectoryLock lock, LmdbOptions options)
      throws IOException {
    this.directory = directory;
    this.lock = lock;
    this.suspicion = new Suspicion(directory);
    this.fileStore = Files.getFileStore(directory);
    this.readersMax = options.readersMax();
    this.readers = new Semaphore(readersMax);
    this.env =
        Env.create(new DirectBuffers())
            .setMapSize(options.mapBytes() > 0 ? options.mapBytes() : defaultMapBytes(fileStore))
            .setMaxDbs(MapName.values().length)
            .setMaxReaders(readersMax + 1)
            .open(directory.toFile(), FILE_MODE, EnvFlags.MDB_NOTLS);
    try {
      for (MapName name : MapName.values()) {
        maps.put(name, env.openDbi(name.storedName(), DbiFlags.MDB_CREATE));
      }
    } catch (RuntimeException e) {
      env.close();
      throw e;
    }
  }

  /**
   * Opens the environment in a directory, which is made if it is not there.
   *
   * @throws dev.ashlar.block.StoreLockedException when it is in use
   * @throws StoreDamagedException when its file is cut off, unsound, not LMDB's, or marked as
   *     suspect
   * @throws StoreFailedException when it cannot be read or written
   */
  public static LmdbEnvironment open(Path directory, LmdbOptions options) {
    return open(directory, options, () -> {});
  }

  /**
   * As above.
   *
   * @param trusted called when the file has been looked at, where that was called for, before LMDB
   *     has it
   */
  static LmdbEnvironment open(Path directory, LmdbOptions options, Runnable trusted) {
    DirectoryLock lock = null;
    try {
      Files.createDirectories(directory);
      lock = DirectoryLock.take(directory);
      DataFile.check(directory);
      new Suspicion(directory).requireTrust(options.acceptSuspect(), lock);
      fillLockFile(directory, options.readersMax());
      NativeLibrary.load();
    } catch (IOException e) {
      undo(lock, e);
      throw new StoreFailedException(directory + " cannot be opened: " + e, e, false);
    } catch (RuntimeException | Error e) {
      undo(lock, e);
      throw e;
    }
    trusted.run();
    try {
      return new LmdbEnvironment(directory, lock, options);
    } catch (IOException e) {
      release(lock, e);
      throw new StoreFailedException(directory + " cannot be opened: " + e, e, false);
    } catch (RuntimeException e) {
      release(lock, e);
      throw LmdbErrors.isLmdb(e) ? LmdbErrors.onOpen(directory, e) : e;
    } catch (Error e) {
      release(lock, e);
      throw e;
    }
  }

  @Override
  public ReadTransaction beginRead() {
    readers.acquireUninterruptibly();
    try {
      if (closed) {
        throw new StoreClosedException();
      }
      LmdbReader idle = idleReaders.poll();
      if (idle == null) {
        KeyBuffer keys = new KeyBuffer();
        return new LmdbReader(this, keys, env.txnRead());
      }
      idle.renew();
      return idle;
    } catch (RuntimeException e) {
      readers.release();
      throw LmdbErrors.translate(e, "beginning a read", false);
    } catch (Error e) {
      readers.release();
      throw e;
    }
  }

  @Override
  public WriteTransaction beginWrite() {
    if (failure != null) {
      throw new StoreFailedException(
          "the storage has failed before: " + failure.getMessage(), failure, false);
    }
    try {
      return new LmdbWriter(this, writerKeys, env.txnWrite());
    } catch (RuntimeException e) {
      throw failing(e, "beginning a write", false);
    }
  }

  /** Half of LMDB's free pages, and what the file system and the map still have. */
  @Override
  public long freeBytes() {
    try (LmdbReader reader = (LmdbReader) beginRead()) {
      Stat main = env.stat();
      EnvInfo info = env.info();
      long used = 2 + pages(main);
      for (Dbi<ByteBuffer> map : maps.values()) {
        used += pages(map.stat(reader.transaction()));
      }
      long reached = info.lastPageNumber + 1;
      long freeInside = Math.max(0, reached - used) * main.pageSize / 2;
      long mapLeft = info.mapSize - reached * main.pageSize;
      return Math.min(fileStore.getUsableSpace(), mapLeft) + freeInside;
    } catch (IOException e) {
      throw new StoreFailedException("free space cannot be asked: " + e, e, false);
    }
  }

  @Override
  public void close() {
    readers.acquireUninterruptibly(readersMax);
    try {
      if (closed) {
        return;
      }
      closed = true;
      for (LmdbReader idle = idleReaders.poll(); idle != null; idle = idleReaders.poll()) {
        idle.end();
      }
      env.close();
      lock.close();
    } catch (IOException e) {
      throw new StoreFailedException("the lock of " + directory + " cannot be given up", e, false);
    } finally {
      readers.release(readersMax);
    }
  }

  @Override
  public void doubt(String why) {
    suspicion.doubt(new StoreDamagedException(why));
  }

  @Override
  public void condemn(String why) {
    suspicion.condemn(new StoreDamagedException(why));
  }

  /** Walks the file beneath the snapshot of a reader, whose pages nobody writes meanwhile. */
  @Override
  public Optional<String> findDamage() {
    try (FileChannel file =
        FileChannel.open(directory.resolve(DataFile.NAME), StandardOpenOption.READ)) {
      while (true) {
        try (LmdbReader reader = (LmdbReader) beginRead()) {
          return FileWalk.at(file, reader.transaction().getId());
        } catch (FileWalk.OvertakenException e) {
          Thread.onSpinWait();
        }
      }
    } catch (IOException e) {
      throw new StoreFailedException("the file cannot be read: " + e, e, false);
    }
  }

  /** Turns an error of a read into ours; one that shows damage makes the next open look closely. */
  RuntimeException readFailing(RuntimeException e) {
    RuntimeException translated = LmdbErrors.translate(e, "reading", false);
    if (LmdbErrors.isCorruption(e)) {
      suspicion.corrupted(translated);
    }
    return translated;
  }

  Dbi<ByteBuffer> map(MapName name) {
    return Optional.ofNullable(maps.get(name)).orElseThrow();
  }

  /** Takes a reader back; it is kept for the next one. */
  void readerEnded(LmdbReader reader) {
    idleReaders.add(reader);
    readers.release();
  }

  /** Turns an error of a write into ours, and marks the directory when it was the disk's. */
  RuntimeException failing(RuntimeException e, String doing, boolean outcomeUnknown) {
    RuntimeException translated = LmdbErrors.translate(e, doing, outcomeUnknown);
    if (translated instanceof StoreFailedException) {
      failure = translated;
      if (LmdbErrors.isCorruption(e)) {
        suspicion.corrupted(translated);
      } else {
        suspicion.suspect(translated);
      }
    }
    return translated;
  }

  /**
   * As {@link #failing}, for a commit. Want of space is said only when LMDB shows that nothing has
   * changed and that it can go on. It reports a write that the file system cut short as EIO.
   *
   * @param transactionId of the transaction that was to be committed
   */
  RuntimeException commitFailing(RuntimeException e, long transactionId) {
    boolean space =
        LmdbErrors.translate(e, "", false) instanceof NoSpaceException
            || (LmdbErrors.isInputOutput(e) && isNearlyFull());
    if (space && isUnchanged(transactionId)) {
      return new NoSpaceException("the file system is full", e);
    }
    StoreFailedException failed =
        new StoreFailedException(
            "the storage failed while making a write durable: " + e.getMessage(), e, true);
    failure = failed;
    suspicion.suspect(failed);
    return failed;
  }

  private boolean isUnchanged(long transactionId) {
    try (Txn<ByteBuffer> probe = env.txnWrite()) {
      return probe.getId() == transactionId;
    } catch (RuntimeException e) {
      return false;
    }
  }

  void clearSuspicion() {
    try {
      suspicion.clear();
    } catch (IOException e) {
      throw new StoreFailedException("the mark in " + directory + " cannot be removed", e, false);
    }
  }

  private boolean isNearlyFull() {
    try {
      return fileStore.getUsableSpace() < 1 << 20;
    } catch (IOException e) {
      return false;
    }
  }

  /**
   * Writes LMDB's reader table out, which LMDB itself leaves full of holes: to touch a hole in a
   * mapped file on a full disk ends the process. Nobody else has the file, for we have the lock.
   */
  private static void fillLockFile(Path directory, int readersMax) throws IOException {
    byte[] zeros = new byte[LOCK_FILE_HEADER_BYTES + (readersMax + 1) * READER_SLOT_BYTES];
    try (FileChannel channel =
        FileChannel.open(
            directory.resolve("lock.mdb"), StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
      channel.write(ByteBuffer.wrap(zeros), 0);
    } catch (IOException e) {
      throw new NoSpaceException("there is no room for the lock file in " + directory, e);
    }
    try (FileChannel self = FileChannel.open(directory, StandardOpenOption.READ)) {
      self.force(true);
    }
  }

  private static void undo(@Nullable DirectoryLock lock, Throwable why) {
    try {
      if (lock != null) {
        lock.undo();
      }
    } catch (IOException e) {
      why.addSuppressed(e);
    }
  }

  private static void release(DirectoryLock lock, Throwable why) {
    try {
      lock.close();
    } catch (IOException e) {
      why.addSuppressed(e);
    }
  }

  private static long defaultMapBytes(FileStore fileStore) throws IOException {
    long wanted = Math.max(MAP_BYTES_MIN, 4 * fileStore.getTotalSpace());
    return Math.min(MAP_BYTES_MAX, wanted) & -(1L << 20);
  }

  private static long pages(Stat stat) {
    return stat.branchPages + stat.leafPages + stat.overflowPages;
  }
}
