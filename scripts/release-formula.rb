# Does what Homebrew does with a release's formula, for machines without Homebrew:
# ruby release-formula.rb FOLDER PREFIX
# Reads FOLDER/bridge.rb for each platform, compares the archive that it names with the file
# in FOLDER, installs the archive for this machine below PREFIX and runs the formula's test.
require "digest"
require "fileutils"
require "open3"
require "pathname"
require "rbconfig"
require "tmpdir"

# Only the parts of Homebrew's class that the formula uses. Anything else is an
# error.
class Formula
  class << self
    attr_accessor :machine
    attr_reader :tested

    %i[desc homepage version license url sha256].each do |field|
      define_method(field) do |value = nil|
        return instance_variable_get("@#{field}") if value.nil?
        raise "#{field} is given twice for #{Formula.machine.inspect}" if instance_variable_get("@#{field}")

        instance_variable_set("@#{field}", value)
      end
    end

    { on_macos: :macos, on_linux: :linux, on_arm: :arm, on_intel: :intel }.each do |name, kind|
      define_method(name) { |&block| block.call if Formula.machine.include?(kind) }
    end

    def conflicts_with(*); end

    def test(&block)
      @tested = block
    end
  end

  attr_reader :bin, :testpath

  def initialize(prefix)
    @bin = Pathname(prefix) / "bin"
    @testpath = Pathname(Dir.mktmpdir)
    ENV["HOME"] = @testpath.to_s
  end

  def version
    self.class.version
  end

  def generate_completions_from_executable(program, *args, shells:)
    shells.each { |shell| raise "no completion for #{shell}" if output_of(program.to_s, *args, shell.to_s).empty? }
  end

  def assert_equal(want, got)
    raise "#{got.inspect} where #{want.inspect} is wanted" unless want == got
  end

  def shell_output(command)
    output_of(command)
  end

  def pipe_output(command, input, status)
    out, result = Open3.capture2(command, stdin_data: input)
    raise "#{command}: #{result}" unless result.exitstatus == status

    out
  end

  def system(*command)
    output_of(*command.map(&:to_s))
  end

  private

  def output_of(*command)
    out, result = Open3.capture2(*command)
    raise "#{command.join(" ")}: #{result}" unless result.success?

    out
  end
end

# Pathname as Homebrew extends it.
class Pathname
  def install(file)
    mkpath
    FileUtils.cp(file, self)
  end
end

# load_for returns the formula as seen by a platform, with the archive that it
# names.
def load_for(machine, folder)
  Formula.machine = machine
  Object.send(:remove_const, :Bridge) if Object.const_defined?(:Bridge)
  load File.join(folder, "bridge.rb")
  archive = File.join(folder, File.basename(Bridge.url))
  digest = Digest::SHA256.file(archive).hexdigest
  raise "#{archive} has #{digest}, the formula says #{Bridge.sha256}" unless digest == Bridge.sha256

  unless Bridge.url.end_with?("/v#{Bridge.version}/#{File.basename(archive)}")
    raise "#{Bridge.url} is not a file of version #{Bridge.version}"
  end

  archive
end

folder, prefix = ARGV.map { |name| File.expand_path(name) }
abort "usage: release-formula.rb FOLDER PREFIX" unless prefix
here = [RbConfig::CONFIG["host_os"].include?("darwin") ? :macos : :linux,
        RbConfig::CONFIG["host_cpu"].match?(/arm|aarch/) ? :arm : :intel]
machines = %i[macos linux].product(%i[arm intel])
archives = machines.map { |machine| load_for(machine, folder) }
raise "the formula names an archive twice: #{archives}" unless archives.uniq.size == machines.size

archive = load_for(here, folder)
Dir.mktmpdir do |stage|
  Dir.chdir(stage) do
    Kernel.system("tar", "-xzf", archive, exception: true)
    formula = Bridge.new(prefix)
    formula.install
    formula.instance_eval(&Bridge.tested)
    FileUtils.rm_rf(formula.testpath)
  end
end
