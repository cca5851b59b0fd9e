package dev.ashlar.server;

import io.vertx.core.json.JsonObject;
import java.io.PrintWriter;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

@Command(
    name = "config",
    description = "Print the options that 'ashlar serve' would run with, and where each came from.")
final class ConfigCommand implements Callable<Integer> {

  @Mixin private ServeOptions options = new ServeOptions();

  @Option(names = "--json", fallbackValue = "true", description = "print JSON")
  private boolean json;

  @Spec
  @SuppressWarnings("NullAway.Init")
  private CommandSpec spec;

  @Override
  public Integer call() {
    CommandLine commandLine = spec.commandLine();
    PrintWriter out = commandLine.getOut();
    Settings settings = (Settings) spec.defaultValueProvider();
    JsonObject all = new JsonObject();
    settings
        .inForce(commandLine.getParseResult())
        .forEach(
            (name, origin) -> {
              if (name.equals("json")) {
                return;
              }
              all.put(
                  name, new JsonObject().put("value", origin.value()).put("from", origin.from()));
              if (!json) {
                out.printf("%-28s %-24s %s%n", name, origin.value(), origin.from());
              }
            });
    if (json) {
      out.println(all.encode());
    }
    out.flush();
    options.check(commandLine);
    return 0;
  }
}
