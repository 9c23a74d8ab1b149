// Checks a log's notes, proofs and tiles with Go's own golang.org/x/mod/sumdb, and makes some.
package main

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

type theCase struct {
	Vkey, Note, Skey, Directory string
	Leaf, Root, OldRoot         string
	Index, Size, OldSize        int64
	Inclusion, Consistency      []string
}

type theirs struct {
	Note        string   `json:"note"`
	Root        string   `json:"root"`
	OldRoot     string   `json:"old_root"`
	Inclusion   []string `json:"inclusion"`
	Consistency []string `json:"consistency"`
}

func hash(text string) (h tlog.Hash) {
	data, err := hex.DecodeString(text)
	if err != nil || len(data) != len(h) {
		return tlog.Hash{}
	}
	copy(h[:], data)
	return h
}

func hashes(texts []string) (found []tlog.Hash) {
	for _, text := range texts {
		found = append(found, hash(text))
	}
	return found
}

func plain(found []tlog.Hash) (texts []string) {
	for _, h := range found {
		texts = append(texts, hex.EncodeToString(h[:]))
	}
	return texts
}

// files reads our tiles under the paths of tlog-tiles, which leave out the height.
type files string

func (directory files) Height() int                           { return 8 }
func (directory files) SaveTiles(_ []tlog.Tile, _ [][]byte) {}
func (directory files) ReadTiles(tiles []tlog.Tile) (data [][]byte, err error) {
	for _, tile := range tiles {
		path := "tile/" + strings.TrimPrefix(tile.Path(), "tile/8/")
		content, err := os.ReadFile(filepath.Join(string(directory), path))
		if err != nil {
			return nil, err
		}
		data = append(data, content)
	}
	return data, nil
}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func main() {
	var given theCase
	must(json.NewDecoder(os.Stdin).Decode(&given))
	checks := map[string]bool{}

	verifier, err := note.NewVerifier(given.Vkey)
	must(err)
	_, err = note.Open([]byte(given.Note), note.VerifierList(verifier))
	checks["note"] = err == nil
	leaf, err := hex.DecodeString(given.Leaf)
	must(err)
	root, oldRoot := hash(given.Root), hash(given.OldRoot)
	checks["inclusion"] = tlog.CheckRecord(
		hashes(given.Inclusion), given.Size, root, given.Index, tlog.RecordHash(leaf)) == nil
	checks["consistency"] = tlog.CheckTree(
		hashes(given.Consistency), given.Size, root, given.OldSize, oldRoot) == nil
	reader := tlog.TileHashReader(tlog.Tree{N: given.Size, Hash: root}, files(given.Directory))
	read, err := reader.ReadHashes([]int64{tlog.StoredHashIndex(0, given.Index)})
	checks["tiles"] = err == nil && read[0] == tlog.RecordHash(leaf)

	// Its own tree over the same kind of leaves.
	var stored []tlog.Hash
	own := tlog.HashReaderFunc(func(indexes []int64) (found []tlog.Hash, err error) {
		for _, index := range indexes {
			found = append(found, stored[index])
		}
		return found, nil
	})
	for n := int64(0); n < given.Size; n++ {
		more, err := tlog.StoredHashes(n, []byte(fmt.Sprintf("theirs %d", n)), own)
		must(err)
		stored = append(stored, more...)
	}
	top, err := tlog.TreeHash(given.Size, own)
	must(err)
	before, err := tlog.TreeHash(given.OldSize, own)
	must(err)
	record, err := tlog.ProveRecord(given.Size, given.Index, own)
	must(err)
	tree, err := tlog.ProveTree(given.Size, given.OldSize, own)
	must(err)
	signer, err := note.NewSigner(given.Skey)
	must(err)
	text := fmt.Sprintf("%s\n%d\n%s\n", signer.Name(), given.Size, top)
	signed, err := note.Sign(&note.Note{Text: text}, signer)
	must(err)
	must(json.NewEncoder(os.Stdout).Encode(map[string]any{
		"checks": checks,
		"theirs": theirs{string(signed), plain([]tlog.Hash{top})[0], plain([]tlog.Hash{before})[0],
			plain(record), plain(tree)},
	}))
}
