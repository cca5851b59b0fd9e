package dev.ashlar.server;

import dev.ashlar.server.client.ServerClient;
import io.vertx.core.json.JsonObject;
import java.io.IOException;
import java.io.PrintWriter;
import java.util.stream.Stream;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** What commands share that ask a running server, and print what it answers. */
final class ServerCommand {

  @Mixin private ConnectOptions connect = new ConnectOptions();

  @Option(names = "--json", fallbackValue = "true", description = "print JSON, one object a line")
  private boolean json;

  @Spec(Spec.Target.MIXEE)
  @SuppressWarnings("NullAway.Init")
  private CommandSpec spec;

  /** How a line that was answered is shown. */
  @FunctionalInterface
  interface Shown {
    /** The text; empty for nothing. */
    String of(JsonObject line);
  }

  ServerClient server() throws IOException {
    if (spec.commandLine().getParseResult().hasMatchedOption("--data")) {
      throw new IOException("this needs a running server: start one, and name it with --server");
    }
    return connect.server();
  }

  PrintWriter out() {
    return spec.commandLine().getOut();
  }

  /** Prints a result as JSON or as text, whichever was asked for. */
  void print(JsonObject asJson, String asText) {
    if (json) {
      out().println(asJson.encode());
    } else if (!asText.isEmpty()) {
      out().println(asText);
    }
    out().flush();
  }

  /** Asks once. */
  int ask(String method, String path, Shown shown) throws IOException {
    JsonObject answer = server().send(method, path);
    print(answer, shown.of(answer));
    return 0;
  }

  /** Prints lines as they come. */
  int follow(String method, String path, Shown shown) throws IOException {
    try (Stream<String> lines = server().lines(method, path)) {
      lines
          .filter(line -> !line.isBlank())
          .map(JsonObject::new)
          .forEach(l -> print(l, shown.of(l)));
    }
    return 0;
  }

  /** Prints all pages of a listing. */
  int list(String path, Shown shown) throws IOException {
    String next = "";
    do {
      String page = path + (path.contains("?") ? "&" : "?") + "after=" + ServerClient.encoded(next);
      String[] last = {""};
      try (Stream<String> lines = server().lines("GET", next.isEmpty() ? path : page)) {
        lines
            .map(JsonObject::new)
            .forEach(
                line -> {
                  if (line.containsKey("next")) {
                    last[0] = line.getString("next");
                  } else {
                    print(line, shown.of(line));
                  }
                });
      }
      next = last[0];
    } while (!next.isEmpty());
    return 0;
  }
}
