using System.Diagnostics;
using System.Text.Json;

namespace UniFace.Cli.Tests;

/// <summary>Runs the built command line in a process, as a user does: exit code, output and error output.</summary>
internal sealed record CliResult(int ExitCode, string Out, string Error)
{
    /// <summary>Standard output as JSON.</summary>
    public JsonElement Json() => JsonDocument.Parse(Out).RootElement;

    /// <summary>Fails with the program's output if the exit code differs.</summary>
    public CliResult Expect(int exitCode)
    {
        Assert.True(ExitCode == exitCode, $"exit code {ExitCode}, expected {exitCode}\n{Error}\n{Out}");
        return this;
    }
}

/// <summary>A running service.</summary>
internal sealed record CliService(Process Process, Uri Address) : IDisposable
{
    public void Dispose()
    {
        Process.Kill();
        Process.WaitForExit();
        Process.Dispose();
    }
}

internal static class CliProcess
{
    /// <summary>Runs `uniface` with the given arguments and waits for its end.</summary>
    public static CliResult Run(params string[] args) => RunIn(Environment.CurrentDirectory, args);

    /// <summary>Runs `uniface` in a folder.</summary>
    public static CliResult RunIn(string folder, params string[] args) => Finish(Start(folder, args));

    /// <summary>Runs `uniface` in a folder with additional environment variables.</summary>
    public static CliResult RunIn(string folder, IReadOnlyDictionary<string, string> environment, params string[] args) =>
        Finish(Start(folder, environment, args));

    /// <summary>Runs `uniface` with additional environment variables.</summary>
    public static CliResult RunWith(IReadOnlyDictionary<string, string> environment, params string[] args) =>
        Finish(Start(Environment.CurrentDirectory, environment, args));

    /// <summary>Runs `uniface` with some bytes on its standard input.</summary>
    public static CliResult RunPiped(byte[] input, params string[] args) => Finish(Start(Environment.CurrentDirectory, null, args, piped: true), input);

    private static CliResult Finish(Process started, byte[]? input = null)
    {
        using Process process = started;
        if (input is not null)
        {
            try
            {
                process.StandardInput.BaseStream.Write(input);
                process.StandardInput.Close();
            }
            catch (IOException)
            {
                // The program ended without reading its input; the test judges its answer.
            }
        }

        Task<string> output = process.StandardOutput.ReadToEndAsync();
        string error = process.StandardError.ReadToEnd();
        process.WaitForExit();
        return new CliResult(process.ExitCode, output.Result, error);
    }

    /// <summary>Starts `uniface` without waiting, for tests that kill it.</summary>
    public static Process Start(string folder, params string[] args) => Start(folder, null, args);

    /// <summary>Starts `uniface serve` and waits until it serves. Disposing the service kills it.</summary>
    /// <exception cref="InvalidOperationException">It ended instead; the message has its error output.</exception>
    public static Task<CliService> ServeAsync(string folder, params string[] args) => ServeAsync(folder, null, args);

    /// <summary>Starts `uniface serve` with additional environment variables and waits until it serves.</summary>
    public static async Task<CliService> ServeAsync(string folder, IReadOnlyDictionary<string, string>? environment, params string[] args)
    {
        Process process = Start(folder, environment, ["serve", "--urls", "http://127.0.0.1:0", .. args]);
        Task<string> error = process.StandardError.ReadToEndAsync();
        while (await process.StandardOutput.ReadLineAsync() is string line)
        {
            if (line.StartsWith("serving ", StringComparison.Ordinal))
            {
                return new CliService(process, new Uri(line.Split(' ')[1]));
            }
        }

        throw new InvalidOperationException("the service ended: " + await error);
    }

    private static Process Start(string folder, IReadOnlyDictionary<string, string>? environment, string[] args, bool piped = false)
    {
        ProcessStartInfo info = new("dotnet")
        {
            WorkingDirectory = folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = piped,
            UseShellExecute = false,
        };
        info.ArgumentList.Add(Path.Combine(AppContext.BaseDirectory, "UniFace.Cli.dll"));
        foreach (string arg in args)
        {
            info.ArgumentList.Add(arg);
        }

        foreach ((string name, string value) in environment ?? new Dictionary<string, string>())
        {
            info.Environment[name] = value;
        }

        return Process.Start(info)!;
    }
}
