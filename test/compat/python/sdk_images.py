"""Uses openstacksdk's image proxy as a program would, against the cloud that the OS_* environment names.

Prints a line for each thing it did: `ok <what>`, or `absent <what>` where this version of the SDK has no call for it.
Ends with an error at the first that goes wrong.
"""

import hashlib
import os
import sys
import tempfile

import openstack
from openstack import exceptions

CONTENT = os.urandom(3 * 1024 * 1024 + 17)


def say(outcome, what):
    print(outcome, what, flush=True)


def has(proxy, *names):
    return all(hasattr(proxy, name) for name in names)


def check(condition, what):
    if not condition:
        raise AssertionError(what)
    say("ok", what)


def images(image_proxy):
    with tempfile.NamedTemporaryFile() as file:
        file.write(CONTENT)
        file.flush()
        image = image_proxy.create_image(
            "sdk-image",
            filename=file.name,
            disk_format="raw",
            container_format="bare",
            validate_checksum=True,
            wait=True,
            os_distro="debian",
            min_disk=1,
        )
    shown = image_proxy.get_image(image.id)
    check(shown.status == "active" and shown.size == len(CONTENT), "create an image with data")
    check(shown.checksum == hashlib.md5(CONTENT).hexdigest(), "find its checksum")
    check(shown.hash_value == hashlib.sha512(CONTENT).hexdigest(), "find its hash")
    again = image_proxy.create_image(
        "sdk-image", data=CONTENT, disk_format="raw", container_format="bare", validate_checksum=True
    )
    check(again.id == image.id, "create it again and get the one that is there")

    with tempfile.NamedTemporaryFile() as copy:
        image_proxy.download_image(image, output=copy.name)
        check(open(copy.name, "rb").read() == CONTENT, "download it into a file, checksum validated")
    streamed = b"".join(image_proxy.download_image(image, stream=True).iter_content(65536))
    check(streamed == CONTENT, "download it as a stream")

    image_proxy.update_image(image, name="sdk-renamed", min_ram=64)
    check(image_proxy.find_image("sdk-renamed").id == image.id, "update it and find it by its new name")
    image_proxy.update_image_properties(image, os_version="12")
    check(image_proxy.get_image(image.id).os_version == "12", "update its properties")
    image_proxy.add_tag(image, "blue")
    check([one.id for one in image_proxy.images(tag="blue")] == [image.id], "add a tag and list by it")
    image_proxy.remove_tag(image, "blue")
    check(list(image_proxy.images(tag="blue")) == [], "remove the tag")
    image_proxy.deactivate_image(image)
    check(image_proxy.get_image(image.id).status == "deactivated", "deactivate it")
    image_proxy.reactivate_image(image)
    check(image_proxy.get_image(image.id).status == "active", "reactivate it")
    return image


def paging(image_proxy):
    made = [image_proxy._create_image(name=f"page-{number}") for number in range(5)]
    names = [one.name for one in image_proxy.images(limit=2, sort="name:asc") if one.name.startswith("page-")]
    check(names == [f"page-{number}" for number in range(5)], "page through a list, two at a time")
    for one in made:
        image_proxy.delete_image(one, ignore_missing=False)
    check(image_proxy.find_image("page-0") is None, "delete them")


def members(image_proxy, image, project):
    image_proxy.update_image(image, visibility="shared")
    image_proxy.add_member(image, member_id=project)
    check([one.member_id for one in image_proxy.members(image)] == [project], "share it with a project")
    image_proxy.update_member(project, image, status="accepted")
    check(image_proxy.get_member(project, image).status == "accepted", "accept the share")
    check(image_proxy.find_member(project, image).member_id == project, "find the member")
    image_proxy.remove_member(project, image)
    check(list(image_proxy.members(image)) == [], "end the share")


def imports(image_proxy, uri):
    try:
        methods = image_proxy.get_import_info().import_methods["value"]
        check("glance-direct" in methods, "ask which imports there are")
    except exceptions.InvalidRequest:
        # openstacksdk 0.101 refuses its own request.
        say("absent", "ask which imports there are")
    image = image_proxy._create_image(name="sdk-staged", disk_format="raw", container_format="bare")
    image_proxy.stage_image(image, data=CONTENT)
    check(image_proxy.get_image(image.id).status == "uploading", "stage data")
    image_proxy.import_image(image, method="glance-direct")
    done = image_proxy.wait_for_status(image, "active") if has(image_proxy, "wait_for_status") else wait(image_proxy, image)
    check(image_proxy.get_image(done.id).size == len(CONTENT), "import what was staged")
    with tempfile.NamedTemporaryFile() as copy:
        image_proxy.download_image(done, output=copy.name)
        check(open(copy.name, "rb").read() == CONTENT, "download what was imported")
    by_import = image_proxy.create_image(
        "sdk-by-import", data=CONTENT, disk_format="raw", container_format="bare", use_import=True, wait=True
    )
    check(wait(image_proxy, by_import).size == len(CONTENT), "create an image by import")
    web = image_proxy._create_image(name="sdk-web", disk_format="qcow2", container_format="bare")
    image_proxy.import_image(web, method="web-download", uri=uri)
    check(wait(image_proxy, web).status == "active", "import from the web")
    for one in (done, by_import, web):
        image_proxy.delete_image(one)


def wait(image_proxy, image):
    for _ in openstack.utils.iterate_timeout(60, "the image never became active", wait=0.2):
        image = image_proxy.get_image(image.id)
        if image.status == "active":
            return image


def stores_and_schemas(image_proxy):
    check({one.id for one in image_proxy.stores()} >= {"fast", "slow"}, "list the stores")
    for name in ("image", "images", "member", "members", "task", "tasks"):
        schema = getattr(image_proxy, f"get_{name}_schema")()
        check(bool(schema.properties), f"read the schema of {name}")
    check(list(image_proxy.tasks()) is not None, "list tasks")


def metadefs(image_proxy):
    if not has(image_proxy, "create_metadef_namespace", "create_metadef_object"):
        say("absent", "metadef namespaces, objects and properties")
        return
    namespace = image_proxy.create_metadef_namespace(namespace="Sdk", visibility="public")
    check(image_proxy.get_metadef_namespace("Sdk").namespace == "Sdk", "create a metadef namespace")
    made = image_proxy.create_metadef_object(
        "Sdk", name="Cat", properties={"legs": {"type": "integer", "title": "Legs"}}
    )
    check(image_proxy.get_metadef_object("Cat", "Sdk").name == made.name, "create a metadef object")
    check(len(list(image_proxy.metadef_objects("Sdk"))) == 1, "list metadef objects")
    image_proxy.update_metadef_object("Cat", "Sdk", name="Cat", description="Purrs")
    check(image_proxy.get_metadef_object("Cat", "Sdk").description == "Purrs", "update a metadef object")
    image_proxy.create_metadef_property("Sdk", name="legs", type="integer", title="Legs")
    check(len(list(image_proxy.metadef_properties("Sdk"))) == 1, "create a metadef property")
    image_proxy.create_metadef_resource_type_association("Sdk", name="OS::Glance::Image")
    check(len(list(image_proxy.metadef_resource_type_associations("Sdk"))) == 1, "associate a resource type")
    image_proxy.delete_metadef_object("Cat", "Sdk")
    check(list(image_proxy.metadef_objects("Sdk")) == [], "delete a metadef object")
    image_proxy.delete_metadef_namespace(namespace)
    try:
        image_proxy.get_metadef_namespace("Sdk")
        raise AssertionError("the namespace is still there")
    except exceptions.NotFoundException:
        say("ok", "delete a metadef namespace")


def main(project, uri):
    image_proxy = openstack.connect(load_yaml_config=False).image
    image = images(image_proxy)
    paging(image_proxy)
    members(image_proxy, image, project)
    stores_and_schemas(image_proxy)
    imports(image_proxy, uri)
    metadefs(image_proxy)
    image_proxy.delete_image(image, ignore_missing=False)
    check(image_proxy.find_image(image.id) is None, "delete the image")


if __name__ == "__main__":
    main(*sys.argv[1:])
