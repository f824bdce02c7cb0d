// Writes a copy of libLibTorchSharp.so that also loads with the libstdc++ of Debian 12 and Ubuntu 22.04 (GCC 12).
//
// The library was compiled with GCC 13, whose <iostream> mentions std::ios_base_library_init() so that an older libstdc++ is refused: version
// GLIBCXX_3.4.32. Nothing calls it, there is no relocation for it, and all other symbols need GLIBCXX_3.4.30 or older. The copy asks for that
// version instead and declares the symbol weak, so that it may be missing. The streams that <iostream> would set up are set up by libc10.so, which was
// compiled with an older GCC.
//
// Only the names of versions and the binding of the symbol change; the code does not.
//
// usage: dotnet run OlderLibstdcxx.cs -- libLibTorchSharp.so COPY
using System.Buffers.Binary;
using System.Text;

const string symbolName = "_ZSt21ios_base_library_initv", newVersion = "GLIBCXX_3.4.32", oldVersion = "GLIBCXX_3.4.30";
byte[] image = File.ReadAllBytes(args[0]);

// ELF64, little endian. A program header: type (4 bytes), flags (4), offset, address, physical address, size in the file.
List<(uint Type, long Offset, long Address, long Size)> segments = [];
for (int i = 0; i < U16(0x38); i++)
{
    long at = U64(0x20) + (i * U16(0x36));
    segments.Add((U32(at), U64(at + 8), U64(at + 16), U64(at + 32)));
}

// The dynamic section: pairs of a tag and a value.
Dictionary<long, long> dynamic = [];
for (long at = segments.Single(s => s.Type == 2).Offset; U64(at) != 0; at += 16)
{
    dynamic[U64(at)] = U64(at + 8);
}

long strings = FileOffset(dynamic[5]), symbols = FileOffset(dynamic[6]), versions = FileOffset(dynamic[0x6ffffff0]);
Dictionary<string, long> needed = []; // The entry of each version of libstdc++: hash (4), flags (2), index (2), name (4), next (4).
for (long library = FileOffset(dynamic[0x6ffffffe]), next = 1; next != 0; next = U32(library + 12), library += next)
{
    long entry = library + U32(library + 8);
    for (int i = 0; i < U16(library + 2); i++, entry += U32(entry + 12))
    {
        needed[Text(strings + U32(entry + 8))] = entry;
    }
}

// A symbol: name (4), info (1), other (1), section (2), value (8), size (8). The string table follows the symbols.
List<int> affected = [.. Enumerable.Range(0, (int)((strings - symbols) / 24)).Where(s => U16(versions + (2 * s)) == U16(needed[newVersion] + 6))];
if (affected is not [int symbol] || Text(strings + U32(symbols + (24 * symbol))) != symbolName)
{
    Console.Error.WriteLine($"{args[0]}: symbols other than {symbolName} need {newVersion}; this is not the library that the patch was written for.");
    return 1;
}

image[symbols + (24 * symbol) + 4] = (byte)((2 << 4) | (image[symbols + (24 * symbol) + 4] & 0xf)); // weak
image.AsSpan((int)needed[oldVersion], 4).CopyTo(image.AsSpan((int)needed[newVersion]));
image.AsSpan((int)needed[oldVersion] + 8, 4).CopyTo(image.AsSpan((int)needed[newVersion] + 8));
Directory.CreateDirectory(Path.GetDirectoryName(args[1])!);
File.WriteAllBytes(args[1] + ".new", image);
File.Move(args[1] + ".new", args[1], overwrite: true);
return 0;

long FileOffset(long address) => segments.Where(s => s.Type == 1 && address >= s.Address && address < s.Address + s.Size)
    .Select(s => address - s.Address + s.Offset).First();

int U16(long at) => BinaryPrimitives.ReadUInt16LittleEndian(image.AsSpan((int)at));
uint U32(long at) => BinaryPrimitives.ReadUInt32LittleEndian(image.AsSpan((int)at));
long U64(long at) => (long)BinaryPrimitives.ReadUInt64LittleEndian(image.AsSpan((int)at));
string Text(long at) => Encoding.ASCII.GetString(image.AsSpan((int)at, image.AsSpan((int)at).IndexOf((byte)0)));
