package dev.ashlar.server.chaos;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteOrder;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Map;
import java.util.Optional;

/**
 * A library that is preloaded into a process, so that one of its calls on storage fails, or its
 * wall clock steps. It comes as C source, and is compiled where it is used.
 */
final class Shim {

  private static final String SOURCE = "shim.c";
  private static final int CONTROL_BYTES = 5 * Long.BYTES;

  private final Path library;

  private Shim(Path library) {
    this.library = library;
  }

  /**
   * Compiles it.
   *
   * @param directory where to
   * @return empty where there is no C compiler that can
   */
  static Optional<Shim> build(Path directory) throws IOException {
    Path source = directory.resolve(SOURCE);
    Path library = directory.resolve("shim.so");
    try (InputStream in = Shim.class.getResourceAsStream(SOURCE)) {
      if (in == null) {
        throw new IOException("there is no " + SOURCE + " in this program");
      }
      Files.copy(in, source);
    }
    try {
      int status =
          new ProcessBuilder(
                  "cc", "-O2", "-shared", "-fPIC", "-o", "" + library, "" + source, "-ldl")
              .redirectErrorStream(true)
              .redirectOutput(directory.resolve("shim.log").toFile())
              .start()
              .waitFor();
      return status == 0 ? Optional.of(new Shim(library)) : Optional.empty();
    } catch (IOException e) {
      return Optional.empty();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted while the shim was compiled", e);
    }
  }

  /** The one that this library is. */
  static Shim loaded(Path library) {
    return new Shim(library);
  }

  /** Where it is. */
  Path library() {
    return library;
  }

  /**
   * Prepares a process.
   *
   * @param file by which it is controlled, which is made
   * @param data files under this directory are its storage
   */
  Control control(Path file, Path data) throws IOException {
    return new Control(library, file, data);
  }

  /** One process that has it. */
  static final class Control {

    /** What a call can fail with. */
    enum Failure {
      /** The device failed. */
      EIO(5),
      /** The process has too many files open. */
      EMFILE(24),
      /** The file system is full. */
      ENOSPC(28);

      private final int number;

      Failure(int number) {
        this.number = number;
      }
    }

    private final Map<String, String> environment;
    private final MappedByteBuffer words;

    private Control(Path library, Path file, Path data) throws IOException {
      environment =
          Map.of(
              "LD_PRELOAD", library.toAbsolutePath().toString(),
              "ASHLAR_SHIM_CONTROL", file.toAbsolutePath().toString(),
              "ASHLAR_SHIM_PREFIX", data.toAbsolutePath().toString());
      try (FileChannel channel =
          FileChannel.open(
              file, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
        words = channel.map(FileChannel.MapMode.READ_WRITE, 0, CONTROL_BYTES);
      }
      words.order(ByteOrder.nativeOrder());
    }

    /** What the process is to be started with. */
    Map<String, String> environment() {
      return environment;
    }

    /** Puts its wall clock off by so many seconds. */
    void setClock(long seconds) {
      words.putLong(0, seconds);
    }

    /** How many calls on storage it has made. */
    long calls() {
      return words.getLong(Long.BYTES);
    }

    /** Lets one call to come fail: the next one with 1. */
    void fail(long callsFromNow, Failure with) {
      words.putLong(3 * Long.BYTES, with.number);
      words.putLong(2 * Long.BYTES, calls() + callsFromNow);
    }

    /** Lets no call fail any more. */
    void failNone() {
      words.putLong(2 * Long.BYTES, 0);
    }

    /** How many calls have failed. */
    long failed() {
      return words.getLong(4 * Long.BYTES);
    }
  }
}
