"""The READMEs of the modules say what the modules are."""

from pathlib import Path

import pytest

from scripts.terraform_docs import BEGIN, END, ReadmeMissing, find_modules, readme_of

MODULES = find_modules()


def a_module(folder: Path, hcl: str, readme: str = "") -> Path:
    (folder / "main.tf").write_text(hcl)
    (folder / "README.md").write_text(readme or f"# m\n\n{'What it is for. ' * 5}\n")
    return folder


@pytest.mark.parametrize("module", MODULES, ids=lambda folder: folder.name)
def test_the_readme_of_a_module_is_current(module: Path):
    """Every module has a README, whose lists are those of its files; `make tf-docs` writes them."""
    assert (module / "README.md").read_text() == readme_of(module)


def test_modules_were_found():
    """The rule above reads the modules, the stack and the environments."""
    assert {"stack", "prod", "zone"} <= {module.name for module in MODULES}


def test_an_input_tells_type_default_and_whether_it_is_required(tmp_path: Path):
    """Objects are written over lines; a default is written as in the file, and its absence as n/a."""
    hcl = """
    variable "jobs" {
      description = "Size | limits."
      type        = map(object({ worker = optional(string, "G.1X"), tags = map(string) }))
    }
    variable "bytes" {
      description = "Most."
      type        = number
      default     = 100 * 1024
    }
    variable "names" {
      description = "Some."
      type        = list(string)
      default     = ["a", "b"]
    }
    """
    rows = [line for line in readme_of(a_module(tmp_path, hcl)).splitlines() if line.startswith("| ")]

    assert rows[-3:] == [
        "| bytes | Most. | `number` | `100 * 1024` | no |",
        '| jobs | Size \\| limits. | <pre>map(object({<br/>  worker = optional(string, "G.1X")<br/>'
        "  tags = map(string)<br/>}))</pre> | n/a | yes |",
        '| names | Some. | `list(string)` | `["a", "b"]` | no |',
    ]


def test_hand_written_text_stays_on_both_sides(tmp_path: Path):
    """Only what stands between the markers is replaced."""
    module = a_module(tmp_path, "", f"# m\n\n{'Why it is. ' * 5}\n{BEGIN}\nold\n{END}\n\n## More\n")
    text = readme_of(module)

    assert text.startswith("# m\n\nWhy it is.")
    assert text.endswith(f"No outputs.\n{END}\n\n## More\n")
    assert "old" not in text


def test_a_module_without_a_word_is_refused(tmp_path: Path):
    """What a module is for cannot be generated."""
    with pytest.raises(ReadmeMissing, match="what the module is for"):
        readme_of(a_module(tmp_path, "", "# m\n"))
