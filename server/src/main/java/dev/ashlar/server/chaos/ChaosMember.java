package dev.ashlar.server.chaos;

import dev.ashlar.server.client.DirectoryTree;
import dev.ashlar.server.client.NodeProcess;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** One member of the cluster under faults: its process, the proxy before it, its small disk. */
final class ChaosMember implements AutoCloseable {

  /** EXT4_IOC_SHUTDOWN with EXT4_GOING_FLAGS_NOLOGFLUSH, which Java has no call for. */
  private static final String SHUTDOWN =
      "use Fcntl; sysopen(F, $ARGV[0], O_RDONLY | O_DIRECTORY) or die $!;"
          + " my $flags = pack('L', 2); ioctl(F, 0x8004587D, $flags) or die $!";

  private static final int UNMOUNT_ATTEMPTS = 100;

  private final NodeProcess process;
  private final PeerProxy proxy;
  private final String address;
  private final List<String> options;
  private final Optional<Path> disk;
  private Optional<Shim.Control> shim = Optional.empty();
  private boolean paused;
  private boolean frozen;

  /**
   * @param directory what its data and its log lie in
   * @param name of its data and its log
   * @param ports for HTTP, for its peers, and for the proxy before the latter
   * @param java what to give to {@code java} before the command
   * @param options further options of {@code serve}
   * @param diskMib of a disk of its own; 0 for none
   */
  ChaosMember(
      Path directory,
      String name,
      List<Integer> ports,
      List<String> java,
      List<String> options,
      int diskMib)
      throws IOException {
    this.process = new NodeProcess(name, ports.get(0), directory, java, List.of());
    this.proxy = new PeerProxy(ports.get(2), ports.get(1));
    this.address = "127.0.0.1:" + ports.get(2);
    this.options = new ArrayList<>(options);
    this.options.add("--peer-listen=127.0.0.1:" + ports.get(1));
    this.options.add("--advertise=" + address);
    this.disk = diskMib == 0 ? Optional.empty() : mount(directory, name, diskMib);
  }

  /** Where the others reach it: its proxy. */
  String address() {
    return address;
  }

  NodeProcess process() {
    return process;
  }

  PeerProxy proxy() {
    return proxy;
  }

  /** Gives it a library to be preloaded, before it is started. */
  void preload(Shim.Control control) {
    shim = Optional.of(control);
    process.environment(control.environment());
  }

  Optional<Shim.Control> shim() {
    return shim;
  }

  boolean isPaused() {
    return paused;
  }

  boolean hasDisk() {
    return disk.isPresent();
  }

  void found(String initialCluster) throws IOException {
    start("--initial-cluster=" + initialCluster);
  }

  void join(List<String> addresses) throws IOException {
    start("--join=" + String.join(",", addresses));
  }

  private void start(String how) throws IOException {
    List<String> all = new ArrayList<>(options);
    all.add(how);
    process.start(all);
  }

  void pause() throws IOException {
    paused = true;
    process.pause();
  }

  void resume() throws IOException {
    process.resume();
    paused = false;
  }

  /** Fills its disk to the last byte. */
  void fillDisk() throws IOException {
    byte[] zeros = new byte[1 << 20];
    try (OutputStream out = Files.newOutputStream(ballast())) {
      for (int size = zeros.length; size > 0; size /= 2) {
        writeAll(out, zeros, size);
      }
    }
  }

  private static void writeAll(OutputStream out, byte[] zeros, int size) {
    try {
      while (true) {
        out.write(zeros, 0, size);
      }
    } catch (IOException e) {
      // Full, which is what is wanted.
    }
  }

  /**
   * Takes the power from its disk: whatever was not synced is gone, the file system's own log
   * included. The member ends, and its disk is there again.
   */
  void cutPower() throws IOException {
    String mountPoint = process.data().toString();
    if (run("perl", "-e", SHUTDOWN, mountPoint) != 0) {
      throw new IOException("the file system at " + mountPoint + " could not be shut down");
    }
    process.kill();
    unmount();
    if (run("mount", "-o", "loop", disk.orElseThrow().toString(), mountPoint) != 0) {
      throw new IOException(mountPoint + " could not be mounted again");
    }
  }

  private void unmount() throws IOException {
    for (int attempt = 0; attempt < UNMOUNT_ATTEMPTS; attempt++) {
      if (run("umount", process.data().toString()) == 0) {
        return;
      }
    }
    throw new IOException(process.data() + " could not be unmounted");
  }

  /** Whether power can be cut here. */
  static boolean canCutPower() throws IOException {
    return run("perl", "-e", "1") == 0;
  }

  /** Lets its disk stand still: whatever writes to it waits. Nothing can end it meanwhile. */
  void freeze() throws IOException {
    frozen = frozen || run("fsfreeze", "-f", process.data().toString()) == 0;
  }

  void thaw() throws IOException {
    if (frozen && run("fsfreeze", "-u", process.data().toString()) != 0) {
      throw new IOException(process.data() + " could not be thawed");
    }
    frozen = false;
  }

  /** Whether its disk stands still. */
  boolean isFrozen() {
    return frozen;
  }

  void freeDisk() throws IOException {
    Files.deleteIfExists(ballast());
    // Or a power cut soon afterwards would bring it back.
    try (FileChannel directory = FileChannel.open(process.data(), StandardOpenOption.READ)) {
      directory.force(true);
    }
  }

  /** As a new disk would be. It must be down. */
  void wipe() throws IOException {
    DirectoryTree.delete(
        process.data(), file -> !file.equals(process.data()) && !file.endsWith("lost+found"));
  }

  @Override
  public void close() throws IOException {
    thaw();
    resume();
    process.kill();
    proxy.close();
    if (disk.isPresent()) {
      unmount();
    }
  }

  private Path ballast() {
    return process.data().resolve("ballast");
  }

  private Optional<Path> mount(Path directory, String name, int mib) throws IOException {
    Path image = directory.resolve(name + ".img");
    try (var file = new java.io.RandomAccessFile(image.toFile(), "rw")) {
      file.setLength((long) mib << 20);
    }
    Files.createDirectories(process.data());
    boolean mounted =
        run("mkfs.ext4", "-q", "-m", "0", image.toString()) == 0
            && run("mount", "-o", "loop", image.toString(), process.data().toString()) == 0;
    if (!mounted) {
      Files.delete(image);
    }
    return mounted ? Optional.of(image) : Optional.empty();
  }

  private static int run(String... command) throws IOException {
    try {
      Process process =
          new ProcessBuilder(command)
              .redirectErrorStream(true)
              .redirectOutput(ProcessBuilder.Redirect.DISCARD)
              .start();
      return process.waitFor();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted", e);
    } catch (IOException e) {
      return -1; // There is no such program here.
    }
  }
}
