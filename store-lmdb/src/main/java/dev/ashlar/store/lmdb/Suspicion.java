package dev.ashlar.store.lmdb;

import dev.ashlar.block.StoreDamagedException;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Why the file in a directory may not be what was written, kept in small files beside it, and what
 * follows at the next open.
 *
 * <ul>
 *   <li>{@code suspect}: a write or a sync failed. The kernel marks such pages clean, so nothing
 *       that is read back proves anything: the directory is refused.
 *   <li>{@code doubt}: a value failed its checksum, or LMDB said that a page is wrong. The file is
 *       walked before LMDB has it.
 *   <li>{@code damaged}: whoever had the store last found that it must not be gone on from, sound
 *       as the file may be: it has lost what it had acknowledged, for one.
 *   <li>{@code crashes}: the process died inside LMDB, or of a page of a mapped file that its
 *       device did not give ({@code SIGBUS}), by what the JVM's log of its death says; or LMDB came
 *       upon a page that cannot be. The file is walked; after the second time it is refused,
 *       whatever the walk says.
 * </ul>
 *
 * <p>LMDB ends the process by {@code abort()} where one of its assertions fails, of which the JVM
 * writes no log: that looks like a {@code kill -9}. So the file is walked too where {@value
 * #LOST_MAX} processes in a row have ended without giving the directory up.
 */
final class Suspicion {

  private static final String SUSPECT = "suspect";
  private static final String DOUBT = "doubt";
  private static final String CRASHES = "crashes";
  private static final String DAMAGED = "damaged";

  /** The files of all marks. */
  static final List<String> MARKS = List.of(SUSPECT, DOUBT, CRASHES, DAMAGED);

  private static final int CRASHES_MAX = 1;
  private static final int LOST_MAX = 3;
  private static final int CRASH_LOG_LINES = 40;

  /** What the JVM's log says of a page that was mapped and could not be given, and of mappings. */
  private static final Pattern BUS_ERROR = Pattern.compile("SIGBUS.*si_addr: 0x([0-9a-f]{1,16})");

  private static final Pattern MAPPING =
      Pattern.compile(
          "^([0-9a-f]{1,16})-([0-9a-f]{1,16}) .*/" + Pattern.quote(DataFile.NAME) + "$");

  private final Path directory;
  private boolean noted;

  Suspicion(Path directory) {
    this.directory = directory;
  }

  /** Notes that a write or a sync failed. */
  void suspect(RuntimeException why) {
    note(SUSPECT, why);
  }

  /** Notes that something that was read is not what was written. */
  void doubt(RuntimeException why) {
    if (!Files.exists(directory.resolve(DOUBT))) {
      note(DOUBT, why);
    }
  }

  /**
   * Notes that LMDB came upon what cannot be, or did not come back. Once for each opening: what is
   * read again and again is the same trouble.
   */
  synchronized void corrupted(RuntimeException why) {
    if (noted) {
      return;
    }
    noted = true;
    try {
      noteCrash(System.currentTimeMillis() + " " + why.getMessage());
    } catch (IOException e) {
      why.addSuppressed(e);
    }
  }

  /** Notes that nobody is to go on from what is here. */
  void condemn(RuntimeException why) {
    note(DAMAGED, why);
  }

  /** Forgets what a verification, which has found the store sound, speaks for. */
  void clear() throws IOException {
    for (String mark : List.of(SUSPECT, DOUBT, CRASHES)) {
      Files.deleteIfExists(directory.resolve(mark));
    }
  }

  /**
   * Decides whether LMDB may have the file.
   *
   * @param accepts whether marks are overlooked; a file that is unsound never is
   * @param lock says who had the directory before
   * @throws StoreDamagedException when it may not
   */
  void requireTrust(boolean accepts, DirectoryLock lock) throws IOException {
    if (Files.exists(directory.resolve(SUSPECT)) && !accepts) {
      throw new StoreDamagedException(
          directory
              + " is marked as suspect since its storage failed ("
              + Files.readString(directory.resolve(SUSPECT))
              + "): check the device, then run "
              + verify());
    }
    if (Files.exists(directory.resolve(DAMAGED)) && !accepts) {
      throw new StoreDamagedException(
          directory
              + " was found damaged when it was last used ("
              + Files.readString(directory.resolve(DAMAGED))
              + "): set the directory aside and join anew, or restore it from a backup");
    }
    noteDeath(lock.predecessor());
    int crashes = crashes().size();
    if (crashes > CRASHES_MAX && !accepts) {
      throw new StoreDamagedException(
          "LMDB has failed "
              + crashes
              + " times on "
              + directory
              + " (the last time: "
              + crashes().get(crashes - 1)
              + "): check the memory and the device, then run "
              + verify());
    }
    if (accepts
        || crashes > 0
        || lock.lost() >= LOST_MAX
        || Files.exists(directory.resolve(DOUBT))) {
      walk(crashes > 0 && !accepts);
      lock.forgive();
    }
  }

  private String verify() {
    return "'ashlar verify --data "
        + directory
        + "', which takes the mark away when all is sound; or set the directory aside and join"
        + " anew";
  }

  /** What made the walk happen may be over; the next open must not pass by what it finds. */
  private void walk(boolean readsValues) throws IOException {
    Path data = directory.resolve(DataFile.NAME);
    if (!Files.exists(data) || Files.size(data) == 0) {
      return;
    }
    doubt(new StoreDamagedException("the file is being walked"));
    Optional<String> finding;
    try (FileChannel file = FileChannel.open(data, StandardOpenOption.READ)) {
      finding = FileWalk.newest(file, readsValues);
    } catch (IOException e) {
      finding =
          Optional.of(
              "it cannot be read ("
                  + e
                  + "); what can be is in a copy that passes over the rest, as ddrescue makes it");
    }
    if (finding.isPresent()) {
      throw new StoreDamagedException(
          data
              + " is damaged: "
              + finding.get()
              + "; set the directory aside and join anew, or restore it from a backup");
    }
    Files.deleteIfExists(directory.resolve(DOUBT));
  }

  /** The JVM leaves a log when it dies in native code, under a name that says which process. */
  private void noteDeath(OptionalLong predecessor) throws IOException {
    if (predecessor.isEmpty()) {
      return;
    }
    String name = "hs_err_pid" + predecessor.getAsLong() + ".log";
    List<Path> places =
        List.of(directory, Path.of(""), Path.of(System.getProperty("java.io.tmpdir", "/tmp")));
    for (Path place : places) {
      Path log = place.resolve(name).toAbsolutePath();
      if (Files.isReadable(log) && isOfTheFile(log)) {
        String line = log + " " + Files.getLastModifiedTime(log);
        if (!crashes().contains(line)) {
          noteCrash(line);
        }
      }
    }
  }

  private void noteCrash(String line) throws IOException {
    Files.writeString(
        directory.resolve(CRASHES),
        line.replaceAll("\\s", " ") + "\n",
        StandardOpenOption.CREATE,
        StandardOpenOption.APPEND,
        StandardOpenOption.SYNC);
  }

  private static boolean isOfTheFile(Path log) throws IOException {
    long fault = 0;
    int number = 0;
    try (BufferedReader lines = Files.newBufferedReader(log, StandardCharsets.ISO_8859_1)) {
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        if (++number <= CRASH_LOG_LINES && line.contains("lmdbjava-native")) {
          return true;
        }
        Matcher bus = BUS_ERROR.matcher(line);
        if (bus.find()) {
          fault = Long.parseUnsignedLong(bus.group(1), 16);
        }
        Matcher mapping = MAPPING.matcher(line);
        if (mapping.find()
            && Long.compareUnsigned(Long.parseUnsignedLong(mapping.group(1), 16), fault) <= 0
            && Long.compareUnsigned(fault, Long.parseUnsignedLong(mapping.group(2), 16)) < 0) {
          return true;
        }
      }
      return false;
    }
  }

  private List<String> crashes() throws IOException {
    Path file = directory.resolve(CRASHES);
    return Files.exists(file) ? Files.readAllLines(file) : List.of();
  }

  private void note(String mark, RuntimeException why) {
    try {
      Files.writeString(
          directory.resolve(mark),
          String.valueOf(why.getMessage()),
          StandardOpenOption.CREATE,
          StandardOpenOption.TRUNCATE_EXISTING,
          StandardOpenOption.WRITE,
          StandardOpenOption.SYNC);
      try (FileChannel names = FileChannel.open(directory, StandardOpenOption.READ)) {
        names.force(true);
      }
    } catch (IOException e) {
      // The disk that has just failed may not take the mark either; the caller hears of the
      // failure.
      why.addSuppressed(e);
    }
  }
}
