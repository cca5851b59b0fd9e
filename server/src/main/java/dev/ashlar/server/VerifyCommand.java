package dev.ashlar.server;

import dev.ashlar.block.engine.VerifyReport;
import dev.ashlar.store.lmdb.LmdbBlockStore;
import dev.ashlar.store.lmdb.LmdbOptions;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

@Command(
    name = "verify",
    description = {
      "Re-hash every block of a stopped node and compare counters and index with the heap.",
      "When all is sound, the mark of an I/O error is taken from the directory."
    })
final class VerifyCommand implements Callable<Integer> {

  @Option(
      names = "--data",
      paramLabel = "DIR",
      defaultValue = "ashlar-data",
      description = "the node's directory (default: ${DEFAULT-VALUE})")
  private Path data = Path.of("ashlar-data");

  @Option(
      names = "--config",
      paramLabel = "FILE",
      description = "a file with options, one a line: name=value")
  private @Nullable Path config;

  @Option(names = "--json", fallbackValue = "true", description = "print JSON")
  private boolean json;

  @Spec
  @SuppressWarnings("NullAway.Init")
  private CommandSpec spec;

  @Override
  public Integer call() throws Exception {
    var unused = config;
    PrintWriter out = spec.commandLine().getOut();
    try (LmdbBlockStore store =
        ConnectOptions.openDirectory(data, LmdbOptions.DEFAULT.acceptingSuspect())) {
      VerifyReport report = store.verify(bytes -> {});
      if (report.isSound()) {
        store.clearSuspicion();
      }
      if (json) {
        out.println(toJson(report).encode());
      } else {
        out.println("read " + report.blocks() + " blocks, " + report.bytes() + " bytes");
        report.damaged().forEach(cid -> out.println("damaged " + cid));
        report.findings().forEach(finding -> out.println("found " + finding));
        out.println(report.isSound() ? "all is sound" : "not sound");
      }
      out.flush();
      return report.isSound() ? 0 : Main.EXIT_FAILED;
    }
  }

  private static JsonObject toJson(VerifyReport report) {
    JsonArray damaged = new JsonArray();
    report.damaged().forEach(cid -> damaged.add(cid.toString()));
    return new JsonObject()
        .put("sound", report.isSound())
        .put("blocks", report.blocks())
        .put("bytes", report.bytes())
        .put("damagedCount", report.damagedCount())
        .put("damaged", damaged)
        .put("findings", new JsonArray(report.findings()));
  }
}
