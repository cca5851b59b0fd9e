package dev.ashlar.server;

import io.vertx.core.json.JsonObject;
import java.io.IOException;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code ashlar watch}: the feed of changes. */
@Command(
    name = "watch",
    description = "Print what changes in a running server, in the order of its log.")
final class WatchCommand implements Callable<Integer> {

  @Mixin private ServerCommand server = new ServerCommand();

  @Option(
      names = "--since",
      paramLabel = "INDEX",
      description = "begin after this log index (default: now)")
  private @Nullable Long since;

  @Option(names = "--until-now", description = "end when all that has changed is told")
  private boolean untilNow;

  @Override
  public Integer call() throws IOException {
    String path = "/changes?follow=" + !untilNow + (since == null ? "" : "&since=" + since);
    boolean[] failed = new boolean[1];
    server.follow(
        "GET",
        path,
        line -> {
          failed[0] |= "error".equals(line.getString("type"));
          return shown(line);
        });
    return failed[0] ? Main.EXIT_FAILED : 0;
  }

  private static String shown(JsonObject line) {
    return switch (line.getString("type")) {
      case "put" -> line.getLong("index") + " put " + line.getString("cid");
      case "delete" -> line.getLong("index") + " delete " + line.getJsonArray("cids").encode();
      case "roots" -> line.getLong("index") + " roots " + line.getJsonArray("changes").encode();
      case "error" -> "error " + line.getString("detail");
      default -> "";
    };
  }
}
