package dev.ashlar.server;

import dev.ashlar.block.BlockStore;
import dev.ashlar.block.Cid;
import dev.ashlar.block.MalformedException;
import dev.ashlar.server.client.ClusterClient;
import dev.ashlar.server.client.ServerClient;
import io.vertx.core.json.JsonObject;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintWriter;
import java.util.concurrent.Callable;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import picocli.CommandLine;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** A command that works on a store and ends. */
abstract class StoreCommand implements Callable<Integer> {

  @Mixin private ConnectOptions connect = new ConnectOptions();

  @Option(names = "--json", fallbackValue = "true", description = "print JSON, one object a line")
  private boolean json;

  @Spec
  @SuppressWarnings("NullAway.Init")
  private CommandSpec spec;

  @Override
  public final Integer call() throws Exception {
    CommandLine.ParseResult given = spec.commandLine().getParseResult();
    boolean serverIsFlag = given.hasMatchedOption("--server") && !given.hasMatchedOption("--data");
    try (BlockStore store = connect.open(serverIsFlag)) {
      int status = run(store);
      if (out().checkError() || System.out.checkError()) {
        throw new IOException("the output could not be written");
      }
      return status;
    }
  }

  /** Does it; gives the exit status. */
  abstract int run(BlockStore store) throws Exception;

  final PrintWriter out() {
    return spec.commandLine().getOut();
  }

  final PrintWriter err() {
    return spec.commandLine().getErr();
  }

  /** Prints a result as JSON or as text, whichever was asked for. */
  final void print(JsonObject asJson, String asText) {
    out().println(json ? asJson.encode() : asText);
  }

  /** The server; there is none behind a directory. */
  final ServerClient server() throws IOException {
    return connect.server();
  }

  /** The cluster behind the server; there is none behind a directory. */
  final ClusterClient cluster() throws IOException {
    return connect.cluster();
  }

  /** The CID that an argument is. */
  static Cid cid(String text) {
    try {
      return Cid.parse(text);
    } catch (MalformedException e) {
      throw new IllegalArgumentException("\"" + text + "\" is not a CID: " + e.getMessage(), e);
    }
  }

  /** Standard output as bytes; what cannot be written is an error. */
  static OutputStream standardOutput() {
    return new FileOutputStream(FileDescriptor.out);
  }

  /** Says that a block is absent, and gives the status for it. */
  final int absent(Cid cid) {
    err().println("ashlar: block " + cid + " is not there");
    err().flush();
    return Main.EXIT_ABSENT;
  }

  /** A progress bar on the terminal, where there is one. */
  final ProgressBar progress(String task, long bytesMax) {
    boolean shown = System.console() != null && !json;
    return new ProgressBarBuilder()
        .setTaskName(task)
        .setInitialMax(bytesMax)
        .setUnit(" MiB", 1 << 20)
        .setUpdateIntervalMillis(shown ? 200 : Integer.MAX_VALUE)
        .setConsumer(
            shown
                ? new me.tongfei.progressbar.ConsoleProgressBarConsumer(System.err)
                : new SilentConsumer())
        .build();
  }

  /** Shows nothing: output that is no terminal gets no progress. */
  private static final class SilentConsumer implements me.tongfei.progressbar.ProgressBarConsumer {
    @Override
    public int getMaxRenderedLength() {
      return 0;
    }

    @Override
    public void accept(String line) {
      // Nothing is shown.
    }

    @Override
    public void close() {
      // Nothing is held.
    }
  }
}
