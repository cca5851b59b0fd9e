package dev.ashlar.simulation;

import java.io.File;
import java.io.IOException;
import java.lang.reflect.InvocationTargetException;
import java.net.MalformedURLException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Consumer;
import javax.tools.JavaCompiler;
import javax.tools.ToolProvider;

/**
 * Ashlar with a bug: the patched sources are compiled into a directory of their own, and classes of
 * Ashlar are loaded anew, from there first.
 */
final class Mutant {

  private final ClassLoader classes;

  private Mutant(ClassLoader classes) {
    this.classes = classes;
  }

  /**
   * @param top of the repository
   * @param work an empty directory
   * @throws IllegalArgumentException when the patch does not apply, or the result does not compile
   */
  static Mutant of(ZooBug bug, Path top, Path work) throws IOException {
    Map<String, String> sources = new TreeMap<>();
    for (ZooBug.Hunk hunk : bug.hunks()) {
      String text = sources.get(hunk.source());
      if (text == null) {
        text = Files.readString(top.resolve(hunk.source()));
      }
      int at = text.indexOf(hunk.before());
      if (at < 0 || text.indexOf(hunk.before(), at + 1) >= 0) {
        throw new IllegalArgumentException(
            bug.name() + " does not apply to " + hunk.source() + ":\n" + hunk.before());
      }
      sources.put(
          hunk.source(),
          text.substring(0, at) + hunk.after() + text.substring(at + hunk.before().length()));
    }
    if (sources.isEmpty()) {
      throw new IllegalArgumentException(bug.name() + " changes nothing");
    }
    Path compiled = Files.createDirectories(work.resolve("classes"));
    List<String> arguments =
        new ArrayList<>(
            List.of("--release", "17", "-proc:none", "-nowarn", "-d", compiled.toString()));
    arguments.addAll(List.of("-cp", classPath()));
    for (Map.Entry<String, String> source : sources.entrySet()) {
      Path file = work.resolve(source.getKey());
      Files.createDirectories(file.getParent());
      arguments.add(Files.writeString(file, source.getValue()).toString());
    }
    JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
    int status = compiler.run(null, System.out, System.err, arguments.toArray(String[]::new));
    if (status != 0) {
      throw new IllegalArgumentException(bug.name() + " does not compile");
    }
    return new Mutant(new Loader(urls(compiled), Mutant.class.getClassLoader()));
  }

  /**
   * Runs a seed on it.
   *
   * @return what went wrong, empty when nothing did
   */
  Optional<Throwable> run(long seed) throws ReflectiveOperationException {
    Class<?> simulation = classes.loadClass(Simulation.class.getName());
    Consumer<String> tracer = line -> {};
    try {
      Object run = simulation.getConstructor(long.class, Consumer.class).newInstance(seed, tracer);
      simulation.getMethod("run").invoke(run);
      return Optional.empty();
    } catch (InvocationTargetException e) {
      return Optional.of(e.getTargetException());
    }
  }

  /** A class of it. */
  Class<?> load(String name) throws ClassNotFoundException {
    return classes.loadClass(name);
  }

  private static String classPath() {
    return System.getProperty("surefire.test.class.path", System.getProperty("java.class.path"));
  }

  private static URL[] urls(Path first) throws MalformedURLException {
    List<URL> urls = new ArrayList<>(List.of(first.toUri().toURL()));
    for (String part : classPath().split(File.pathSeparator, -1)) {
      urls.add(Path.of(part).toUri().toURL());
    }
    return urls.toArray(URL[]::new);
  }

  /** Asks itself before its parent, but for classes of others. */
  private static final class Loader extends URLClassLoader {

    Loader(URL[] urls, ClassLoader parent) {
      super(urls, parent);
    }

    @Override
    protected Class<?> loadClass(String name, boolean resolve) throws ClassNotFoundException {
      synchronized (getClassLoadingLock(name)) {
        Class<?> found = findLoadedClass(name);
        if (found == null) {
          found = name.startsWith("dev.ashlar.") ? findClass(name) : getParent().loadClass(name);
        }
        if (resolve) {
          resolveClass(found);
        }
        return found;
      }
    }
  }
}
