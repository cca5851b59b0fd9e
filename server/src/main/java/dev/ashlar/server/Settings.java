package dev.ashlar.server;

import java.io.IOException;
import java.io.Reader;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.OptionSpec;

/**
 * Where an option's value comes from: the flag, else {@code ASHLAR_*} in the environment, else the
 * file that {@code --config} or {@code ASHLAR_CONFIG} names, else the default.
 */
final class Settings implements CommandLine.IDefaultValueProvider {

  private static final String CONFIG = "config";

  private final Map<String, String> environment;
  private final Optional<String> path;
  private final Properties file = new Properties();

  /**
   * @param arguments the command line, for its --config
   * @throws UncheckedIOException when the file cannot be read
   */
  Settings(Map<String, String> environment, String... arguments) {
    this.environment = environment;
    this.path = configPath(arguments);
    if (path.isPresent()) {
      try (Reader reader = Files.newBufferedReader(Path.of(path.get()))) {
        file.load(reader);
      } catch (IOException e) {
        throw new UncheckedIOException(
            new IOException("the file of --config cannot be read: " + path.get(), e));
      }
    }
  }

  /** Where a value that is in force came from. */
  record Origin(String value, String from) {}

  @Override
  public @Nullable String defaultValue(ArgSpec argument) {
    if (!(argument instanceof OptionSpec option) || option.usageHelp() || option.versionHelp()) {
      return null;
    }
    return look(name(option)).map(Origin::value).orElse(null);
  }

  /** Fails on a key of the file that is no option of any command. */
  void requireKnownKeys(CommandLine root) {
    for (String key : file.stringPropertyNames()) {
      if (root.getSubcommands().values().stream()
          .noneMatch(command -> command.getCommandSpec().findOption("--" + key) != null)) {
        throw new IllegalArgumentException("the file of --config has an unknown key: " + key);
      }
    }
  }

  /** Every option of a command with its value in force and where that came from. */
  Map<String, Origin> inForce(CommandLine.ParseResult result) {
    Map<String, Origin> all = new LinkedHashMap<>();
    for (OptionSpec option : result.commandSpec().options()) {
      if (option.usageHelp() || option.versionHelp() || option.hidden()) {
        continue;
      }
      String name = name(option);
      Object value = option.getValue();
      String from =
          result.hasMatchedOption(option) ? "flag" : look(name).map(Origin::from).orElse("default");
      all.put(name, new Origin(value == null ? "" : String.valueOf(value), from));
    }
    return all;
  }

  static String name(OptionSpec option) {
    return option.longestName().replaceFirst("^--", "");
  }

  static String variable(String name) {
    return "ASHLAR_" + name.toUpperCase(Locale.ROOT).replace('-', '_');
  }

  private Optional<Origin> look(String name) {
    String fromEnvironment = environment.get(variable(name));
    if (fromEnvironment != null) {
      return Optional.of(new Origin(fromEnvironment, "environment " + variable(name)));
    }
    String fromFile = file.getProperty(name);
    return fromFile == null
        ? Optional.empty()
        : Optional.of(new Origin(fromFile, "file " + path.orElse("")));
  }

  /** The parser asks for defaults before it has read --config, so that is looked for here. */
  private Optional<String> configPath(String... arguments) {
    for (int i = 0; i < arguments.length; i++) {
      if (arguments[i].startsWith("--config=")) {
        return Optional.of(arguments[i].substring("--config=".length()));
      }
      if (arguments[i].equals("--config") && i + 1 < arguments.length) {
        return Optional.of(arguments[i + 1]);
      }
    }
    return Optional.ofNullable(environment.get(variable(CONFIG)));
  }
}
